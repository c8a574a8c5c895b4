package catalog

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const goodExample = `summary: A boat leaves the harbour
steps:
  - says: The boat is built.
    apply: [boat.yml]
    until: {apiVersion: example.com/v1, kind: Boat, name: boat, path: "{.status.afloat}", label: afloat, value: "true"}
  - says: The boat leaves.
    apply: [wind.yml]
    delete: [boat.yml]
    until:
      {apiVersion: example.com/v1, kind: Boat, name: boat, path: "{.status.miles}", label: miles, absent: "0", value: "3", within: 90s}
`

const exampleDir = "packages/boat/examples/leave/"

func withExample() files {
	return good().with(exampleDir+"example.yml", goodExample).
		with(exampleDir+"boat.yml", "").with(exampleDir+"wind.yml", "").
		with("repo/repository.yml", goodRepository+"quickstart: {package: boat, example: leave}\n")
}

func TestLoadExample(t *testing.T) {
	root := withExample().write(t)
	c, err := Load(root)
	require.NoError(t, err)
	require.Equal(t, &Quickstart{Package: "boat", Example: "leave"}, c.Repository.Quickstart)
	e, err := c.Packages[0].Example("")
	require.NoError(t, err)
	require.Equal(t, "leave", e.Name)
	require.Equal(t, filepath.Join(root, exampleDir), e.Dir)
	require.Equal(t, []string{"boat.yml", "wind.yml"}, e.Files())
	require.Equal(t, defaultWithin, e.Steps[0].Until.Limit())
	require.Equal(t, 90*time.Second, e.Steps[1].Until.Limit())
	_, err = c.Packages[0].Example("sink")
	require.EqualError(t, err, `boat has no example "sink"; known: leave`)
	_, err = (&Package{Name: "boat"}).Example("")
	require.EqualError(t, err, "boat has no examples")
	_, err = (&Package{Name: "boat", Examples: []*Example{{Name: "leave"}, {Name: "sink"}}}).Example("")
	require.EqualError(t, err, "boat has several examples; name one: leave, sink")
}

func TestLoadExampleValues(t *testing.T) {
	c, err := Load(withExample().with("packages/boat/examples/values.yml", "# Two of them.\nsails: 2\n").write(t))
	require.NoError(t, err)
	require.Equal(t, "# Two of them.\nsails: 2\n", c.Packages[0].ExampleValues)
	require.Len(t, c.Packages[0].Examples, 1)
}

func TestLoadExampleErrors(t *testing.T) {
	const (
		repo    = "repo/repository.yml"
		example = exampleDir + "example.yml"
	)
	for name, test := range map[string]struct {
		file, old, new string
		want           string
	}{
		"quickstart's package":     {repo, "package: boat,", "package: bote,", repo + `:6: package "bote" is not in packages/; did you mean boat?`},
		"quickstart not published": {repo, "  boat: [1.2.0]", "  {}", repo + `:6: boat is not published, so it cannot be installed`},
		"quickstart's example":     {repo, "example: leave", "example: sink", repo + `:6: boat has no example "sink"; known: leave`},
		"quickstart's field":       {repo, "example: leave", "exampel: leave", repo + `:6: unknown field "exampel"; did you mean example?`},
		"unknown field":            {example, "summary:", "sumry:", example + `:1: unknown field "sumry"; did you mean summary?`},
		"missing field":            {example, ` label: afloat,`, "", example + `:5: missing field "steps[0].until.label"`},
		"no step":                  {example, goodExample, "summary: Nothing\nsteps: []\n", example + `:2: no step; an example has at least one`},
		"file elsewhere":           {example, "[boat.yml]\n    until", "[../boat.yml]\n    until", example + `:4: "../boat.yml" is not the name of a file NAME.yml beside example.yml`},
		"deleted before applied":   {example, "delete: [boat.yml]", "delete: [wind.yml]", example + `:8: no step before applies "wind.yml"`},
		"time":                     {example, "within: 90s", "within: soon", example + `:10: within "soon" is not a time such as 90s or 2m`},
		"path":                     {example, `"{.status.miles}"`, `".status.miles"`, example + `:10: path ".status.miles" is not JSONPath in braces`},
		"missing file":             {example, "[wind.yml]", "[rain.yml]", exampleDir + `rain.yml: missing; a step of example.yml applies it`},
		"stray file":               {example, "    apply: [wind.yml]\n", "", exampleDir + `wind.yml: no step of example.yml applies this`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(withExample().edit(t, test.file, test.old, test.new).write(t))
			require.ErrorContains(t, err, test.want)
		})
	}
	_, err := Load(withExample().with("packages/boat/examples/notes.txt", "").write(t))
	require.ErrorContains(t, err, "packages/boat/examples/notes.txt: an unexpected file: only folders of examples and values.yml belong here")
	_, err = Load(withExample().with("packages/boat/examples/values.yml", "- sails\n").write(t))
	require.ErrorContains(t, err, "packages/boat/examples/values.yml:1: expected a map of values, found a list")
	_, err = Load(withExample().with("packages/boat/examples/values.yml", "# none\n").write(t))
	require.ErrorContains(t, err, "packages/boat/examples/values.yml:1: the file is empty")
	_, err = Load(withExample().without(example).write(t))
	require.ErrorContains(t, err, example+": missing; it says what the example shows")
	_, err = Load(withExample().with("packages/boat/examples/Leave/example.yml", goodExample).write(t))
	require.ErrorContains(t, err, "the name of an example must be a DNS label")
}
