package bundle

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindReferences(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("a", 64)
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"tag":             {"r.io/a/b:1.2", []string{"r.io/a/b:1.2"}},
		"digest":          {"r.io/a/b" + digest, []string{"r.io/a/b" + digest}},
		"tag and digest":  {"r.io/a/b:1" + digest, []string{"r.io/a/b:1" + digest}},
		"neither":         {"r.io/a/b", []string{"r.io/a/b"}},
		"flag":            {"--image=r.io/a/b:1 --x", []string{"r.io/a/b:1"}},
		"JSON":            {`{"x":"r.io/a/b:1","y":"r.io/a/b:2"}`, []string{"r.io/a/b:1", "r.io/a/b:2"}},
		"end of sentence": {"See r.io/a/b:1.", []string{"r.io/a/b:1"}},
		"longer name":     {"r.io/a/b-c:1 xr.io/a/b:1 r.io/a/b/c r.io/a/bc:1", nil},
		"nothing":         {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, referencePattern("r.io/a/b").find(test.text))
		})
	}
}

func FuzzFindReferences(f *testing.F) {
	f.Add("r.io/a/b:1", "r.io/a/b")
	f.Add("x r.io/a/b@sha256:00", "r.io/a/b")
	f.Fuzz(func(t *testing.T, text, repository string) {
		if repository == "" {
			return
		}
		for _, ref := range referencePattern(repository).find(text) {
			require.Contains(t, text, ref)
			require.True(t, strings.HasPrefix(ref, repository))
		}
	})
}

func TestTextReferences(t *testing.T) {
	files := map[string][]byte{"config/a.yml": []byte("image: r.io/x:1\n"), "config/b.yml": []byte("image: r.io/x:1\n")}
	require.Equal(t, []string{"r.io/x:1"}, textReferences(files, "r.io/x"))
}
