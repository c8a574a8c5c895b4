package untrusted_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// bomb has levels of aliases, each of which stands for wide of the one before.
func bomb(levels, wide int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x]\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), wide), ","))
	}
	return b.String()
}

func TestYAML(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"empty":                {"", ""},
		"manifest":             {"kind: Pod\nmetadata: {name: a}\nspec:\n- &x a\n- *x\n", ""},
		"merged":               {"a: &a {b: 1}\nc:\n  <<: *a\n  d: *a\n", ""},
		"text with R&D and *a": {"a: R&D *really*\n", ""},
		"no YAML":              {"{{ if & }}\na: &a [*a\n", ""},
		"some aliases":         {bomb(3, 9), ""},
		"aliases of aliases":   {bomb(9, 9), "aliases that stand for more than 50000 values"},
		"in a later document":  {"a: 1\n---\n" + bomb(9, 9), "aliases that stand for"},
		"alias of itself":      {"a: &a [*a]\n", "an alias that contains itself"},
		"nested brackets":      {strings.Repeat("[", 300) + strings.Repeat("]", 300), "nested deeper than 200"},
		"nested braces":        {strings.Repeat("{a: ", 300) + strings.Repeat("}", 300), "nested deeper than 200"},
		"nested lines":         {nestedLines(300), "nested deeper than 200"},
		"nested lists":         {strings.Repeat("- ", 300) + "a\n", "nested deeper than 200"},
		"wide":                 {"a: [" + strings.Repeat("{b: []},", 10000) + "]\n", ""},
		"long":                 {strings.Repeat("a: 1\n", 8<<20), "more than 32 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			err := untrusted.YAML([]byte(test.text))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, untrusted.ErrLimit)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func nestedLines(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func TestLimit(t *testing.T) {
	all, err := io.ReadAll(untrusted.Limit(strings.NewReader("12345"), 5, "the answer"))
	require.NoError(t, err)
	require.Equal(t, "12345", string(all))
	_, err = io.ReadAll(untrusted.Limit(strings.NewReader("123456"), 5, "the answer"))
	require.ErrorIs(t, err, untrusted.ErrLimit)
	require.ErrorContains(t, err, "the answer has more than 5 bytes")
}

// FuzzYAML checks that what passes does not grow beyond reason when it is
// parsed and written as JSON.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{"", bomb(3, 9), bomb(9, 9), "a: &a [*a]", "a: &a {b: 1}\n<<: *a", nestedLines(300), strings.Repeat("[", 300), "- - - - ? ? a", "\xef\xbb\xbfa: |\n  b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if untrusted.YAML(data) != nil {
			return
		}
		asJSON, err := yaml.YAMLToJSON(data)
		if err == nil {
			require.Less(t, len(asJSON), 100*50_000+100*len(data)+1000)
		}
	})
}
