package platform

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/devcluster/install"
)

func TestRuns(t *testing.T) {
	c := &catalog.Catalog{Repository: catalog.Repository{Domain: "strake.test"}}
	p := &catalog.Package{Name: "boat"}
	for version, digests := range map[string][]string{"1.0.0": {"hull1", "mast1"}, "1.1.0": {"hull2", "mast1"}, "1.1.0+strake.2": {"hull2", "mast1"}} {
		lock := &catalog.ImagesLock{}
		for _, digest := range digests {
			lock.Images = append(lock.Images, catalog.LockedImage{Digest: digest})
		}
		p.Versions = append(p.Versions, &catalog.Version{Package: p, Version: version, Images: lock})
	}
	c.Packages = []*catalog.Package{p}
	for name, test := range map[string]struct {
		deploys string
		images  []string
		want    []string
	}{
		"what is deployed":                 {"1.1.0", []string{"hull2", "mast1"}, []string{"1.1.0"}},
		"a revision with the same images":  {"1.1.0+strake.2", []string{"hull2", "mast1"}, []string{"1.1.0+strake.2"}},
		"an upgrade that has not begun":    {"1.1.0", []string{"hull1", "mast1"}, []string{"1.0.0"}},
		"images of two versions":           {"1.1.0", []string{"hull1", "hull2"}, nil},
		"images of nobody":                 {"1.1.0", []string{"theirs"}, []string{"1.1.0"}},
		"no image":                         {"1.1.0", nil, []string{"1.1.0"}},
		"another image beside its own":     {"1.0.0", []string{"hull1", "theirs"}, []string{"1.0.0"}},
		"a version that the tree does not": {"3.0.0", []string{"hull1"}, []string{"1.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Runs(c, install.Status{Package: "boat.strake.test", Version: test.deploys, Images: test.images})
			require.ElementsMatch(t, test.want, got)
		})
	}
	require.Equal(t, []string{"5.0.0"}, Runs(c, install.Status{Package: "theirs.example.com", Version: "5.0.0"}))
}

func TestNewer(t *testing.T) {
	for _, test := range []struct {
		version string
		offered []string
		want    string
	}{
		{"1.0.0", nil, ""},
		{"1.0.0", []string{"1.0.0", "0.9.0"}, ""},
		{"1.0.0", []string{"1.2.0", "1.10.0", "1.9.0"}, "1.10.0"},
		{"1.0.0", []string{"1.0.0+strake.2"}, "1.0.0+strake.2"},
		{"1.0.0+strake.2", []string{"1.0.0"}, ""},
		{"1.0.0", []string{"1.1.0-rc.1"}, ""},
		{"1.1.0-rc.1", []string{"1.1.0-rc.2"}, "1.1.0-rc.2"},
		{"", []string{"1.0.0"}, ""},
		{"1.0.0 or 1.1.0", []string{"1.2.0"}, ""},
	} {
		require.Equal(t, test.want, Newer(test.version, test.offered), "%+v", test)
	}
}
