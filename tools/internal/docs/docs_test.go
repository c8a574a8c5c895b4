package docs_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/docs"
)

// everything is a schema with all that ytt knows.
const everything = `#@data/values-schema
#@schema/validation ("a name or a list", lambda v: True)
---
#@schema/title "Name"
#@schema/desc "What it is called.\nA line of its own."
#@schema/validation ("a DNS label", lambda v: True), min_len=1, max_len=63
#@schema/examples ("Short | to the *point*", "a"), ("Long", "aaaa")
name: "on"
#@schema/desc "A share."
#@schema/validation min=0.5, max=2.5
share: 1.5
#@schema/deprecated "use share"
#@schema/validation one_of=[1, 2]
old: 1
#@schema/nullable
#@schema/desc "May be absent."
#@schema/validation not_null=True, when=lambda v: False
maybe: ""
#@schema/nullable
absent:
  #@schema/desc "In what is absent."
  inner: 1
#@schema/type any=True
free: {a: [1], "b|c": "yes"}
#@schema/desc "Things."
#@schema/validation min_len=1
things:
#@schema/desc "A thing."
-
  #@schema/desc "Of the thing."
  name: ""
  #@schema/desc "More of them."
  ports:
  - 80
#@schema/default ["x", "y"]
words:
- ""
#@schema/examples ("", {"a": 1})
#@schema/type any=True
last: null
`

func valuesOf(t *testing.T, schema string) (*bundle.Values, *catalog.Version) {
	t.Helper()
	b := &bundle.Bundle{Package: "demo", Version: "1.0.0", Files: map[string][]byte{"config/schema.yml": []byte(schema)}}
	values, err := b.Values(t.Context())
	require.NoError(t, err)
	return values, &catalog.Version{Version: "1.0.0", Package: &catalog.Package{Name: "demo"}}
}

func TestRows(t *testing.T) {
	values, _ := valuesOf(t, everything)
	rows, err := docs.Rows(values)
	require.NoError(t, err)
	require.Equal(t, []docs.Row{
		{"name", "string", `"on"`, "length 1 to 63; a DNS label", "What it is called. A line of its own."},
		{"share", "number", "1.5", "0.5 to 2.5", "A share."},
		{"old", "integer", "1", "one of 1, 2; deprecated", ""},
		{"maybe", "string or null", "null", "not null (under a condition)", "May be absent."},
		{"absent", "object or null", "null", "", ""},
		{"absent.inner", "integer", "", "", "In what is absent."},
		{"free", "any", `{"a":[1],"b|c":"yes"}`, "", ""},
		{"things", "list of objects", "[]", "number of items at least 1", "Things. Each: A thing."},
		{"things[].name", "string", "", "", "Of the thing."},
		{"things[].ports", "list of integers", "", "", "More of them."},
		{"words", "list of strings", `["x","y"]`, "", ""},
		{"last", "any", "null", "", ""},
	}, rows)
}

func TestYAML(t *testing.T) {
	values, v := valuesOf(t, everything)
	text, err := docs.YAML(values, v)
	require.NoError(t, err)
	require.Equal(t, `# Values of demo 1.0.0, with their defaults. What you do not change can go.

# What it is called.
# A line of its own.
# Allowed: length 1 to 63; a DNS label.
# Example (Short | to the *point*): a
name: "on"

# A share.
# Allowed: 0.5 to 2.5.
share: 1.5

# Allowed: one of 1, 2; deprecated.
old: 1

# May be absent.
# Allowed: not null (under a condition).
maybe: null

# Where it is not null, with its defaults:
#   # In what is absent.
#   inner: 1
absent: null
free:
  a:
    - 1
  b|c: "yes"

# Things. Each: A thing.
# Allowed: number of items at least 1.
# An item, with its defaults:
#   - # Of the thing.
#     name: ""
#
#     # More of them.
#     ports: []
things: []
words:
  - x
  - "y"

# Example:
#   a: 1
last: null
`, string(text))
}

func TestJSONSchema(t *testing.T) {
	values, v := valuesOf(t, everything)
	text, err := docs.JSONSchema(values, v)
	require.NoError(t, err)
	schema := compile(t, text)
	for _, test := range []struct {
		values string
		fits   bool
	}{
		{"{}", true},
		{"name: a", true},
		{"name: ''", false},
		{"name: 1", false},
		{"name: null", false},
		{"share: 1", true},
		{"share: 3", false},
		{"old: 3", false},
		{"maybe: null", true},
		{"absent: {inner: 2}", true},
		{"absent: null", true},
		{"absent: {outer: 2}", false},
		{"free: 1", true},
		{"things: []", false},
		{"things: [{name: a, ports: [1]}]", true},
		{"things: [{nam: a}]", false},
		{"things: [{ports: [a]}]", false},
		{"last: {a: b}", true},
		{"more: 1", false},
	} {
		err := schema.Validate(instance(t, []byte(test.values)))
		require.Equal(t, test.fits, err == nil, "%s: %v", test.values, err)
	}

	var content struct {
		Schema, Title, Description string
		Properties                 map[string]struct {
			Title, Description string
			Deprecated         bool
			Examples           []any
			Default            any
		}
	}
	require.NoError(t, json.Unmarshal(text, &content))
	require.Equal(t, "Values of demo 1.0.0", content.Title)
	require.Equal(t, "Must be: a name or a list.", content.Description)
	require.Equal(t, "Name", content.Properties["name"].Title)
	require.Equal(t, "What it is called. A line of its own. Must be: a DNS label.", content.Properties["name"].Description)
	require.Equal(t, []any{"a"}, content.Properties["name"].Examples)
	require.Equal(t, "on", content.Properties["name"].Default)
	require.True(t, content.Properties["old"].Deprecated)
	require.Regexp(t, `(?s)"name".*"share".*"old".*"maybe".*"absent".*"free".*"things".*"words".*"last"`, string(text), "the order of the schema")
}

func TestPage(t *testing.T) {
	values, _ := valuesOf(t, everything)
	p := &catalog.Package{Name: "demo", Metadata: catalog.Metadata{
		DisplayName: "Demo", ShortDescription: "Shows.", LongDescription: "Shows more.\n", Source: "https://example.test",
	}}
	for _, version := range []string{"1.0.0", "1.1.0", "2.0.0"} {
		p.Versions = append(p.Versions, &catalog.Version{Package: p, Version: version, Kubernetes: ">=1.30.0", Licenses: []string{"MIT"}})
	}
	c := &catalog.Catalog{
		Packages:   []*catalog.Package{p},
		Repository: catalog.Repository{Domain: "example.test", Published: map[string][]string{"demo": {"1.0.0", "1.1.0"}}},
	}
	v := docs.Shown(c, p)
	require.Equal(t, "1.1.0", v.Version, "the newest that is published")
	v.Capacity, v.UpgradesFrom = "Little.\n", ">=1.0.0"
	v.Requires = []catalog.Requirement{{Package: "other", Constraint: ">=1.0.0 <2.0.0", Reason: "It serves\nthings.", Optional: true}}
	v.Includes = []catalog.Software{{Name: "Demo", Version: "1.1.0", Description: "Does <this>."}}
	text, err := docs.Page(c, v, values)
	require.NoError(t, err)
	for _, line := range []string{
		"# Demo\n", "`demo.example.test`: Shows.", "\nShows more.\n", "## Requirements of 1.1.0\n\nLittle.\n\n",
		"to the cluster. Then run these commands",
		"\n$ .build/strake rbac demo@1.1.0 -n packages | kubectl apply -f -\n$ kctrl package install -i demo -p demo.example.test --version 1.1.0 -n packages \\\n    --service-account-name demo-installer\n",
		"| 2.0.0 | 0001-01-01 | `>=1.30.0` |  | MIT | no |\n| 1.1.0 | 0001-01-01 | `>=1.30.0` | `>=1.0.0` | MIT | yes |\n",
		"| [other](../other/README.md) | `>=1.0.0 <2.0.0` | depends on values | It serves things. |\n",
		"| Demo | 1.1.0 | Does &lt;this>. |\n",
		"strake docs demo@1.1.0 --format yaml",
		"| `free` | any | `{\"a\":[1],\"b\\|c\":\"yes\"}` |  |  |\n",
	} {
		require.Contains(t, string(text), line)
	}
	require.NotContains(t, string(text), "## Example values")

	require.NotContains(t, string(text), "## Permissions")

	p.Profiles = []*catalog.Profile{{Name: "base"}, {Name: "always", Reason: "It runs."}, {Name: "read", When: "values.read", Reason: "It\nreads.\n"}}
	text, err = docs.Page(c, v, values)
	require.NoError(t, err)
	require.Contains(t, string(text), "## Permissions of 1.1.0\n")
	require.Contains(t, string(text), "| always | always | It runs. |\n| read | `values.read` | It reads. |\n")

	v.Requires, p.ExampleValues = []catalog.Requirement{{Package: "other"}}, "# Two.\nreplicas: 2\n"
	text, err = docs.Page(c, v, values)
	require.NoError(t, err)
	require.Contains(t, string(text), "to the cluster, and install [other](../other/README.md). Then")
	require.Contains(t, string(text), "$ cp packages/demo/examples/values.yml values.yml ")
	require.Contains(t, string(text), "-n packages --values-file values.yml | kubectl apply -f -\n")
	require.Contains(t, string(text), "--service-account-name demo-installer --values-file values.yml\n")
	require.Contains(t, string(text), "## Example values\n\n```yaml\n# Two.\nreplicas: 2\n```\n")

	v.Requires, v.Images, c.Repository.Published = nil, &catalog.ImagesLock{}, nil
	text, err = docs.Page(c, v, values)
	require.NoError(t, err)
	require.Contains(t, string(text), "It requires no other package.")
	require.Contains(t, string(text), "$ .build/strake render demo@1.1.0 --values-file packages/demo/examples/values.yml\n")
	require.NotContains(t, string(text), "kctrl package install")

	v.Images = nil
	text, err = docs.Page(c, v, values)
	require.NoError(t, err)
	require.Contains(t, string(text), "$ .build/strake images lock demo@1.1.0")
}

func TestOverview(t *testing.T) {
	demo := &catalog.Package{Name: "demo", Metadata: catalog.Metadata{ShortDescription: "Shows things."}}
	own := &catalog.Package{Name: "own"}
	lock := &catalog.ImagesLock{}
	demo.Versions = []*catalog.Version{{Package: demo, Version: "1.0.0", Images: lock}, {Package: demo, Version: "2.0.0"}}
	own.Versions = []*catalog.Version{{Package: own, Version: "0.1.0", Images: lock}}
	c := &catalog.Catalog{
		Packages:   []*catalog.Package{demo, own},
		Repository: catalog.Repository{Published: map[string][]string{"demo": {"1.0.0"}}},
	}
	const page = "# Top\n\n<!-- packages: made by `make generate` -->\nstale\n<!-- packages: end -->\n\nrest\n"
	text, err := docs.Overview(c, page)
	require.NoError(t, err)
	require.Equal(t, "# Top\n\n<!-- packages: made by `make generate` -->\n\n"+
		"| package | versions | description |\n| --- | --- | --- |\n"+
		"| [`demo`](packages/demo/README.md) | 1.0.0 | Shows things. |\n\n"+
		"Not published, because their images are not locked yet: [`demo`](packages/demo/README.md) 2.0.0.\n\n"+
		"For the project's own use: [`own`](packages/own/README.md) 0.1.0.\n\n"+
		"<!-- packages: end -->\n\nrest\n", string(text))
	again, err := docs.Overview(c, string(text))
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))

	_, err = docs.Overview(c, "# Top\n")
	require.ErrorContains(t, err, "the table of packages goes between them")
}
