package strictyaml

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValues(t *testing.T) {
	values, faults := Values([]byte(`---
# A comment.
name: &name boat
again: *name
count: 3
"on": "on"
list: [1.10, -2, 0, 0x1F, .5, 6.02e+23, ~, null, true, False]
nested: {labels: {released: "2024-01-01", "1": x}}
base: &base {a: 1}
over: {<<: *base, b: 2}
text: |
  on
tagged: !!str 0777
host: 10.0.0.1
image: r.test/a:1.2
range: 8080:80
---
# Nothing follows.
`))
	require.Empty(t, faults)
	require.Equal(t, "boat", values["again"])
	require.Equal(t, "on", values["on"])
	require.Equal(t, []any{1.1, -2, 0, 31, .5, 6.02e+23, nil, nil, true, false}, values["list"])
	require.Equal(t, map[string]any{"labels": map[string]any{"released": "2024-01-01", "1": "x"}}, values["nested"])
	require.Equal(t, map[string]any{"a": 1, "b": 2}, values["over"])
	require.Equal(t, "0777", values["tagged"])
	require.Equal(t, "8080:80", values["range"])

	for _, empty := range []string{"", "# nothing\n", "---\n", "null\n", "{}"} {
		values, faults := Values([]byte(empty))
		require.Empty(t, faults, empty)
		require.NotNil(t, values)
		require.Empty(t, values)
	}
}

func TestValuesRefuses(t *testing.T) {
	for text, want := range map[string]Fault{
		"\ufeffa: 1":                       {1, "the file begins with a byte order mark; save it as UTF-8 without one"},
		"- a\n":                            {1, "expected a map of values, found a list"},
		"a\n":                              {1, `expected a map of values, found "a"`},
		"a: 1\n---\nb: 2\n":                {3, "a second YAML document; put all values into one"},
		"a: 1\nb: [\n":                     {2, "did not find expected node content"},
		"a: {b: 1, b: 2}":                  {1, "a.b: the key occurs twice, first on line 1; remove one of them"},
		"a: 1\nb: 2\na: 3\n":               {3, "a: the key occurs twice, first on line 1; remove one of them"},
		"operator: {nodeSelector: {1: x}}": {1, `operator.nodeSelector.1: the key 1 is not a string; put it in quotes: "1"`},
		"a: {true: x}":                     {1, `a.true: the key true is not a string; put it in quotes: "true"`},
		"? [a]\n: 1":                       {1, "a key is a list; write a string"},
		"on: 1":                            {1, `on: as a key, on is a boolean in YAML 1.1 and a string in YAML 1.2; write true, or for the string, put it in quotes: "on"`},
		"labels:\n  released: 2024-01-01":  {2, `labels.released: 2024-01-01 is a date in YAML 1.1 and a string in YAML 1.2; for the string, put it in quotes: "2024-01-01"`},
		"a: 2024-01-01T00:00:00Z":          {1, `a: 2024-01-01T00:00:00Z is a date in YAML 1.1 and a string in YAML 1.2; for the string, put it in quotes: "2024-01-01T00:00:00Z"`},
		"a: !!timestamp 2024-01-01":        {1, "a: the tag !!timestamp is not allowed in values; remove it"},
		"a: [!mine x]":                     {1, "a[0]: the tag !mine is not allowed in values; remove it"},
		"a: !!binary aGk=":                 {1, "a: the tag !!binary is not allowed in values; remove it"},
	} {
		values, faults := Values([]byte(text))
		require.Nil(t, values, text)
		require.Equal(t, []Fault{want}, faults, text)
	}
	_, faults := Values([]byte("a: " + strings.Repeat("[", 9000) + strings.Repeat("]", 9000)))
	require.Equal(t, []Fault{{1, "the values are nested deeper than 200 levels; write them flatter"}}, faults)
	_, faults = Values([]byte("a: on\nb: {1: 2}\nc: no\n"))
	require.Len(t, faults, 3, "all that is wrong is told")
}

// TestAmbiguity: each is a scalar on which YAML 1.1 and 1.2 differ.
func TestAmbiguity(t *testing.T) {
	for _, text := range []string{
		"y", "Y", "yes", "Yes", "YES", "n", "N", "no", "NO", "on", "On", "off", "OFF",
		"2024-1-1", "2024-01-01 10:00:00",
		"1:30", "22:22", "190:20:30", "1:30.5",
		"0777", "-017", "08", "0o17", "0b101", "1_000", "0x_1F", "1_000.5", "1.0_5",
		"1e3", "1E3", "1.5e3", "12e+03",
		".inf", "-.Inf", "+.INF", ".nan", ".NaN",
		"12345678901234567890123",
	} {
		_, faults := Values([]byte("a: " + text + "\n"))
		require.Len(t, faults, 1, text)
		require.Contains(t, faults[0].Text, "put it in quotes: \""+text+"\"")
		for _, quoted := range []string{`"` + text + `"`, "'" + text + "'", "!!str " + text, "|\n  " + text} {
			_, faults = Values([]byte("a: " + quoted + "\n"))
			require.Empty(t, faults, quoted)
		}
	}
	for _, text := range []string{
		"yess", "nope", "one", "offer", "2024", "2024-01", "2024-001-01x", "10:99:99a", "8080:80", "0", "-0", "10", "0.5", "1.", "0xFF",
		"1.5e+3", "1.5E-3", "1e", "e3", "0x", "v1_2", "a:1", "::1", "10m", "1Gi", "60s", "~", "9223372036854775807", ".5", ".", "..", "-",
		"1.2.3", "1.34.4-eks-3025e55", "Inf", "infinity", "nano",
	} {
		_, faults := Values([]byte("a: [" + text + "]\n"))
		if text == "-" || text == "::1" {
			_, faults = Values([]byte("a: \"" + text + "\"\n"))
		}
		require.Empty(t, faults, text)
	}
}

// TestCommittedValues: what this project ships as values means the same to all readers.
func TestCommittedValues(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	read := 0
	for _, pattern := range []string{"config/*/values.yml", "config/*/packages/*.yml", "packages/*/examples/values.yml"} {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			_, faults := Values(data)
			require.Empty(t, faults, file)
			read++
		}
	}
	require.Greater(t, read, 10)
}

func FuzzValues(f *testing.F) {
	for _, seed := range []string{"a: 1\n", "a: [on, {1: 2}]\n", "&a a: *a\n", "a: &a {<<: *a}\n", "\ufeff", "--- a\n--- b", "? {a: b}\n: c", "a: !!str", "a: !!null b"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		values, faults := Values(data)
		require.NotEqual(t, values == nil, len(faults) == 0)
		for _, fault := range faults {
			require.Positive(t, fault.Line)
			require.LessOrEqual(t, fault.Line, 1+strings.Count(string(data), "\n")+strings.Count(string(data), "\r")+strings.Count(string(data), "\u0085")+strings.Count(string(data), "\u2028")+strings.Count(string(data), "\u2029"))
		}
	})
}
