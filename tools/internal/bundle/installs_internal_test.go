package bundle

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

func TestSchemaFunction(t *testing.T) {
	got, err := schemaFunction([]byte(`#! Values.
#@ load("/_common/check.star", "check")

#@data/values-schema
#! A rule of the whole.
#@schema/validation ("some", lambda v: True)
---
#@schema/desc "Text"
text: |
  first

  second
#@ if/end True:
list:
- ""
`), `Values of "demo".`)
	require.NoError(t, err)
	require.Equal(t, `#! Values.
#@ load("/_common/check.star", "check")

#@ def values():
#@schema/desc "Values of \"demo\"."
#! A rule of the whole.
#@schema/validation ("some", lambda v: True)
values:
  #@schema/desc "Text"
  text: |
    first

    second
  #@ if/end True:
  list:
  - ""
#@ end
`, string(got))
}

func TestSchemaFunctionRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no schema":     "a: 1\n",
		"two documents": "#@data/values-schema\n---\na: 1\n---\nb: 1\n",
		"no document":   "#@data/values-schema\na: 1\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := schemaFunction([]byte(text), "")
			require.ErrorContains(t, err, `config/schema.yml: expected one document, after the line "#@data/values-schema"`)
		})
	}
}

// TestAddLibrary takes what the schema loads, from wherever it does, and no more.
func TestAddLibrary(t *testing.T) {
	b := &Bundle{Package: "demo", Version: "1.0.0", Files: map[string][]byte{
		"config/schema.yml":         []byte("#@ load(\"@ytt:data\", \"data\")\n#@ load(\"/lib/a.star\", \"a\")\n#@data/values-schema\n---\na: 1\n"),
		"config/lib/a.star":         []byte(`load("b.star", "b")` + "\n" + `load("/package.star", "name")`),
		"config/lib/b.star":         []byte(`load("/_common/check.star", "check")`),
		"config/_common/check.star": nil,
		"config/package.star":       nil,
		"config/lib/unused.star":    nil,
		"config/objects.yml":        nil,
	}}
	for name := range b.Files {
		if b.Files[name] == nil {
			b.Files[name] = []byte("#\n")
		}
	}
	files := map[string][]byte{}
	require.NoError(t, addLibrary(files, b, catalog.Repository{Domain: "strake.test"}, "demo"))
	var names []string
	for name := range files {
		names = append(names, name)
	}
	const dir = "config/_ytt_lib/demo/"
	require.ElementsMatch(t, []string{
		dir + "values.lib.yml", dir + "lib/a.star", dir + "lib/b.star", dir + "_common/check.star", dir + "package.star",
	}, names)

	delete(b.Files, "config/lib/b.star")
	err := addLibrary(map[string][]byte{}, b, catalog.Repository{}, "demo")
	require.ErrorContains(t, err, "lib/a.star loads b.star, which is not in the bundle")
}
