package inputs_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/inputs"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

func file(name, text string, below ...string) inputs.File {
	return inputs.File{Name: name, Data: []byte(text), Below: below}
}

// fault is an error of ytt about one value.
func fault(message string, path ...string) error {
	return fmt.Errorf("rendering: %w", &ytt.ValuesError{Faults: []ytt.Fault{{Path: path, Name: strings.Join(path, "."), Message: message}}, Text: "ytt"})
}

func TestExplainNamesTheFileThatSetTheValueLast(t *testing.T) {
	base := file("base.yml", "packages:\n  boat:\n    values: {masts: 1, crew: [a, b], log: {level: x}}\n", "packages", "boat", "values")
	over := file("over.yml", "# more\npackages:\n  boat:\n    values:\n      masts: 2\n", "packages", "boat", "values")
	other := file("other.yml", "packages:\n  raft:\n    values:\n      masts: 3\n", "packages", "boat", "values")
	in := inputs.Inputs{Package: "boat", Values: []inputs.File{base, over, other}}
	for want, path := range map[string]string{
		"over.yml:5: packages.boat.values.masts: no":      "masts",
		"base.yml:3: packages.boat.values.crew.1: no":     "crew.1",
		"base.yml:3: packages.boat.values.log.level: no":  "log.level",
		"base.yml:3: packages.boat.values.log.format: no": "log.format", // which is missing there
		"over.yml:4: packages.boat.values.oars: no":       "oars",
	} {
		require.EqualError(t, in.Explain(fault("no", strings.Split(path, ".")...)), want)
	}
	require.EqualError(t, inputs.Inputs{Values: []inputs.File{other}}.Explain(fault("no", "masts")), "other.yml: packages.boat.values.masts: no")
	require.EqualError(t, inputs.Inputs{}.Explain(fault("no", "masts")), "masts: no")
}

func TestExplainFollowsWhatYAMLAllows(t *testing.T) {
	for _, test := range []struct {
		text, path, want string
	}{
		{"a: 1\n---\na: 2\n", "a", "f.yml:3: a: no"},
		{"a: 1\n---\nb: 2\n", "a", "f.yml:1: a: no"},
		{"x: &x\n  deep: 1\na: *x\n", "a", "f.yml:3: a: no"},
		{"x: &x\n  deep: 1\na: *x\n", "a.deep", "f.yml:2: a.deep: no"},
		{"x: &x\n  deep: 1\na:\n  <<: *x\n", "a.deep", "f.yml:2: a.deep: no"},
		{"x: &x\n  deep: 1\na:\n  <<: [*x]\n  deep: 2\n", "a.deep", "f.yml:5: a.deep: no"},
		{"a:\n- b: 1\n-\n  b: 2\n", "a.1.b", "f.yml:4: a.1.b: no"},
		{"", "a", "f.yml: a: no"},
	} {
		in := inputs.Of("boat", file("f.yml", test.text))
		require.EqualError(t, in.Explain(fault("no", strings.Split(test.path, ".")...)), test.want, test.text)
	}
}

func TestExplainNamesTheNearestKey(t *testing.T) {
	in := inputs.Of("boat", file("f.yml", "log:\n  lvl: x\n"))
	explain := func(f ytt.Fault) string {
		f.Path, f.Name = []string{"log", "lvl"}, "log.lvl"
		return in.Explain(&ytt.ValuesError{Faults: []ytt.Fault{f}}).Error()
	}
	require.Equal(t, `f.yml:2: log.lvl: unknown key; did you mean level? "strake docs boat log" lists the keys`, explain(ytt.Fault{Known: []string{"format", "level"}}))
	require.Equal(t, `f.yml:2: log.lvl: unknown key; known: colour, format; "strake docs boat log" lists the keys`, explain(ytt.Fault{Known: []string{"colour", "format"}}))
	require.Equal(t, `f.yml:2: log.lvl: unknown key; did you mean file.lvl? "strake docs boat log" lists the keys`, explain(ytt.Fault{Known: []string{"colour", "format"}, Elsewhere: []string{"file.lvl"}}))
	in.Docs = func([]string) (string, []string) { return "raft", []string{"crew", "0", "logs", "1"} }
	require.Contains(t, explain(ytt.Fault{}), `"strake docs raft crew[].logs" lists the keys`)
}

func TestExplainRenamesOverlays(t *testing.T) {
	in := inputs.Inputs{Overlays: map[string]inputs.Overlay{"1-team.yml": {File: "config/team.yml"}, "lib.yml": {File: "values.yml", Before: 10}}}
	err := errors.New("rendering: ytt: \n- nope\n    in f\n      lib.yml:2 | #@ fail()\n    in <toplevel>\n      1-team.yml:3 | a: #@ f()")
	require.EqualError(t, in.Explain(err), "values.yml:12: rendering: ytt: \n- nope\n    in f\n      values.yml:12 | #@ fail()\n    in <toplevel>\n      config/team.yml:3 | a: #@ f()")
	require.ErrorIs(t, in.Explain(err), err)

	foreign := &ytt.OverlayError{File: "bundle.yml", Line: 3, Text: "Overlaying: it broke"}
	require.Same(t, foreign, in.Explain(foreign), "an overlay of the package is none of the user's files")
	require.NoError(t, in.Explain(nil))
	disk := errors.New("no space left")
	require.Same(t, disk, in.Explain(disk))
}

func TestTexts(t *testing.T) {
	made := file("folder", "o: {c: x}\n")
	made.Made = true
	require.Equal(t, map[string]inputs.Overlay{"a": {File: "b.yml", Before: 3}, "b": {File: "a.yml", Before: 3}}, inputs.Texts([]inputs.File{
		file("a.yml", "o:\n  a: |\n    x\n  b: x\n"), file("b.yml", "\no:\n  a: |\n    x\n"), file("c.yml", "p: 1\n"), file("d.yml", "o: 1\n"), made,
	}, "o"))
}

func TestFileValues(t *testing.T) {
	for text, want := range map[string]string{
		"a: 1\nb: [1\n":          "f.yml:2: did not find expected ',' or ']'",
		"a: [1\n":                "f.yml:1: did not find expected ',' or ']'", // the parser means the line after it
		"a: 1\nb: c: d\n":        "f.yml:2: mapping values are not allowed in this context",
		"- a\n":                  "f.yml:1: expected a map of values, found a list",
		"\nwords\n":              `f.yml:2: expected a map of values, found "words"`,
		"a: 1\n---\n- b\n":       "f.yml:3: a second YAML document; put all values into one",
		"a: 1\na: 2\n":           `f.yml:2: a: the key occurs twice, first on line 1; remove one of them`,
		"a: 1\n# c\nb: \"x\\q\"": "f.yml:3: found unknown escape character",
	} {
		_, err := file("f.yml", text).Values()
		require.EqualError(t, err, want, text)
	}
	values, err := file("f.yml", "---\n---\nb: 1\n---\n").Values()
	require.NoError(t, err)
	require.Equal(t, map[string]any{"b": 1}, values)
	_, err = file("f.yml", "a: on\nb: {1: x}\n").Values()
	require.ErrorContains(t, err, "f.yml:1: a: on is")
	require.ErrorContains(t, err, "\nf.yml:2: b.1: ")
}

// FuzzExplain: whatever the file holds, aliases that contain themselves among it, a
// search for a value ends, and names a line that the file has.
func FuzzExplain(f *testing.F) {
	f.Add("a: &x {<<: *x}\n", "a.b.c")
	f.Add("a: &x [*x, *x]\nb: {<<: [*x, *x]}\n", "b.b.0.0")
	f.Add("a: 1\n---\n- b\n--- |\n", "a")
	f.Fuzz(func(t *testing.T, text, path string) {
		err := inputs.Of("boat", file("f.yml", text)).Explain(fault("no", strings.Split(path, ".")...))
		var e *inputs.Error
		require.ErrorAs(t, err, &e)
		require.LessOrEqual(t, e.Line, 1+strings.Count(text, "\n")+strings.Count(text, "\r"))
		_, _ = file("f.yml", text).Values()
		var document yaml.Node
		if yaml.Unmarshal([]byte(text), &document) == nil {
			inputs.Texts([]inputs.File{file("f.yml", text)}, strings.Split(path, ".")...)
		}
	})
}
