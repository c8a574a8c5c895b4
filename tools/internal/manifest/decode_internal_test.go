package manifest

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/Masterminds/sprig/v3"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FuzzDecode feeds anything to the reader of YAML streams. What it accepts
// must be objects that survive encoding, and it must never lose a document.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "---", "...\n---\n", "# comment\n%YAML 1.1\n---\n",
		"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n",
		"--- {apiVersion: v1, kind: Pod, metadata: {name: a}}\n---\nkind: List\napiVersion: v1\nitems: [{}]\n",
		"a: |\n  ---\nb: 1\r\n---\r\n- x", "\xef\xbb\xbfkind: 1", "{\"a\": 1e999}", "a: &a [*a]", "? {a: b}\n: c",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := bytes.Count(data, []byte("\n")) + 1
		objects, err := Decode("f.yml", data)
		if err != nil {
			require.ErrorContains(t, err, "f.yml:")
			return
		}
		for _, o := range objects {
			require.NotEmpty(t, o.GetKind())
			require.NotEmpty(t, o.GetName())
			require.True(t, o.Origin.Line >= 1 && o.Origin.Line <= lines)
		}
		var encoded, cache bytes.Buffer
		require.NoError(t, Encode(&encoded, objects))
		again, err := Decode("f.yml", encoded.Bytes())
		require.NoError(t, err)
		require.Equal(t, contents(objects), contents(again))
		require.NoError(t, EncodeCache(&cache, objects))
		cachedObjects, err := DecodeCache(&cache)
		require.NoError(t, err)
		require.Equal(t, objects, cachedObjects)
	})
}

func contents(objects []Object) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	for _, o := range objects {
		all = append(all, o.Unstructured)
	}
	return all
}

func TestSplitCountsLines(t *testing.T) {
	stream := "# one\n---\n# three\na: 1\n--- # five\n\nb: 2\n...\n---\nc: 3"
	var lines, first []int
	for _, d := range split([]byte(stream)) {
		lines, first = append(lines, d.line), append(first, d.first)
	}
	require.Equal(t, []int{4, 7, 10}, lines)
	require.Equal(t, []int{2, 5, 9}, first)
}

// TestReasonsCoverSprig compares our list of functions with sprig's own.
func TestReasonsCoverSprig(t *testing.T) {
	all, hermetic := sprig.TxtFuncMap(), sprig.HermeticTxtFuncMap()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if hermetic[name] == nil {
			require.NotEmpty(t, reason(name), name)
		}
	}
	for _, name := range []string{"include", "tpl", "toYaml", "sha256sum", "derivePassword", "duration", "b64enc"} {
		require.Empty(t, reason(name), name)
	}
}

// FuzzUses feeds anything to the search for functions in templates, which
// must give the place of each.
func FuzzUses(f *testing.F) {
	f.Add("{{ now }}\n{{ if and (lookup 1) .x }}{{ else if uuidv4 }}{{ end }}")
	f.Add("{{ define `a` }}{{ range $i := shuffle }}{{ break }}{{ end }}{{ end }}{{ template `a` now }}")
	f.Add("{{/* now */}}{{ `now` }}{{ .now }}{{ $now := 1 }}{{ ((now).Unix) }}{{ with env `x` }}{{end}}")
	f.Fuzz(func(t *testing.T, text string) {
		for _, u := range usesIn("f.yml", text) {
			require.NotEmpty(t, u.Reason)
			lines := bytes.Split([]byte(text), []byte("\n"))
			require.True(t, u.Line >= 1 && u.Line <= len(lines))
			require.Contains(t, string(lines[u.Line-1]), u.Function)
		}
	})
}
