package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/names"
)

// selectable is a catalog in which the newest version of keda and all of boat
// are not published.
func selectable() *Catalog {
	pkg := func(name string, versions ...string) *Package {
		p := &Package{Name: name}
		for _, version := range versions {
			p.Versions = append(p.Versions, &Version{Package: p, Version: version})
		}
		return p
	}
	return &Catalog{
		Packages:   []*Package{pkg("boat", "1.0.0", "1.1.0"), pkg("keda", "2.20.2", "2.21.0", "2.21.0+strake.2", "2.21.1", "3.0.0")},
		Repository: Repository{Domain: "strake.internal", Published: map[string][]string{"keda": {"2.20.2", "2.21.0", "2.21.0+strake.2"}}},
	}
}

func TestSelect(t *testing.T) {
	keda := []string{"keda 2.20.2", "keda 2.21.0", "keda 2.21.0+strake.2", "keda 2.21.1", "keda 3.0.0"}
	boat := []string{"boat 1.0.0", "boat 1.1.0"}
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"all", nil, append(boat, keda...)},
		{"a package", []string{"keda"}, keda},
		{"a package by its full name", []string{"keda.strake.internal"}, keda},
		{"a version", []string{"keda@2.21.0"}, []string{"keda 2.21.0"}},
		{"a minor version", []string{"keda@2.20"}, []string{"keda 2.20.2"}},
		{"in the catalog's order, once", []string{"keda@2.21.0", "keda", "boat"}, append(boat, keda...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			versions, err := selectable().Select(tt.args)
			require.NoError(t, err)
			var ids []string
			for _, v := range versions {
				ids = append(ids, v.ID())
			}
			require.Equal(t, tt.want, ids)
		})
	}
}

func TestFind(t *testing.T) {
	for arg, want := range map[string]string{
		"keda":                      "keda 2.21.0+strake.2", // the newest that is published
		"keda.strake.internal":      "keda 2.21.0+strake.2",
		"boat":                      "boat 1.1.0", // none is published
		"keda@2.21.0":               "keda 2.21.0",
		"keda@2.21":                 "keda 2.21.0+strake.2",
		"keda@2":                    "keda 2.21.0+strake.2",
		"keda@3":                    "keda 3.0.0",
		"boat@1.0":                  "boat 1.0.0",
		"keda.strake.internal@2.20": "keda 2.20.2",
	} {
		t.Run(arg, func(t *testing.T) {
			v, err := selectable().Find(arg)
			require.NoError(t, err)
			require.Equal(t, want, v.ID())
		})
	}
}

func TestUnknownNames(t *testing.T) {
	for arg, want := range map[string]string{
		"kada":               `no package "kada"; did you mean keda?`,
		"kdea@2.21.0":        `no package "kdea"; did you mean keda?`,
		"kdea.strake.intern": `no package "kdea.strake.intern"; known: boat, keda`,
		"postgres":           `no package "postgres"; known: boat, keda`,
		"":                   `no package ""; known: boat, keda`,
		"keda@v2.20.2":       `package keda has no version "v2.20.2"; did you mean 2.20.2? (known: 2.20.2, 2.21.0, 2.21.0+strake.2, 2.21.1, 3.0.0)`,
		"keda@2.2":           `package keda has no version "2.2"; known: 2.20.2, 2.21.0, 2.21.0+strake.2, 2.21.1, 3.0.0`,
		"boat@":              `package boat has no version ""; known: 1.0.0, 1.1.0`,
	} {
		t.Run(arg, func(t *testing.T) {
			_, err := selectable().Find(arg)
			require.EqualError(t, err, want)
			var unknown *names.UnknownError
			require.ErrorAs(t, err, &unknown)
		})
	}
	versions, err := selectable().Select([]string{"kedda", "keda@4.0.0-rc.1", "boat"})
	require.Nil(t, versions)
	require.EqualError(t, err, `no package "kedda"; did you mean keda?
package keda has no version "4.0.0-rc.1"; known: 2.20.2, 2.21.0, 2.21.0+strake.2, 2.21.1, 3.0.0`)

	_, err = selectable().FindPackage("keda@2.21")
	require.EqualError(t, err, `"keda@2.21" names a version, but only a package is allowed here; omit the version: keda`)
}
