package bundle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// twoVersions are offers of a package whose schema knows of a fact; each gets its own.
func twoVersions(newer, older, properties string) []offer {
	made := func(version, facts, properties string) offer {
		return offer{
			version: &catalog.Version{Package: &catalog.Package{Name: "demo"}, Version: version},
			bundle: &Bundle{
				Package: "demo", Version: version,
				PackageCR: fmt.Appendf(nil, `{"spec": {"valuesSchema": {"openAPIv3": {"type": "object", "properties": %s}}}}`, properties),
				Files: map[string][]byte{
					"config/package.star": fmt.Appendf(nil, "name = \"demo\"\nversion = %q\n%s", version, facts),
					"config/schema.yml": []byte(strings.Join([]string{
						`#@ load("/lib/choice.star", "choice", other="second")`, `#@ load("/_common/check.star", "check")`, "#@data/values-schema", "---",
						`#@schema/validation ("a choice", choice.is_one)`, `parts: ""`, `#@schema/validation ("a name", check.is_name)`, `name: x`, `#@schema/validation other`, "size: 1", "",
					}, "\n")),
					"config/lib/choice.star":    []byte("load(\"more.star\", \"more\")\nchoice = more\n"),
					"config/lib/more.star":      []byte(`load("/package.star", "left_out", up="upstream")` + "\n"),
					"config/_common/check.star": []byte("check = 1\n"),
				},
			},
		}
	}
	const same = `{"parts": {"type": "string", "default": "", "description": "Parts"}}`
	return []offer{made("2.0.0", newer, same), made("1.0.0", older, properties)}
}

const sameProperties = `{"parts": {"type": "string", "default": "", "description": "Other words", "minLength": 1}}`

// TestSchemasOfVersions: one schema is enough where the versions have the same facts.
// Else it loses what may differ, and each version has all of its own.
func TestSchemasOfVersions(t *testing.T) {
	const dir = "config/_ytt_lib/"
	files := map[string][]byte{}
	offers := twoVersions("left_out = {\n  \"a\": \"b\",\n}\nupstream = \"2\"\n", "left_out = {\n  \"a\": \"b\",\n}\nupstream = \"2\"\n", sameProperties)
	require.NoError(t, addSchemas(files, offers, catalog.Repository{}))
	require.Empty(t, offers[0].schema+offers[1].schema, "name and version differ, but the schema does not load them")
	require.Contains(t, string(files[dir+"demo/values.lib.yml"]), "choice.is_one")

	files = map[string][]byte{}
	offers = twoVersions("left_out = {\n  \"a\": \"b\",\n}\nupstream = \"2\"\n", "left_out = {\n}\nupstream = \"2\"\n", sameProperties)
	require.NoError(t, addSchemas(files, offers, catalog.Repository{}))
	require.Equal(t, []string{"demo-2.0.0", "demo-1.0.0"}, []string{offers[0].schema, offers[1].schema})
	loose := string(files[dir+"demo/values.lib.yml"])
	require.NotContains(t, loose, "choice.is_one")
	require.NotContains(t, loose, "validation other")
	require.Contains(t, loose, "check.is_name")
	for version, fact := range map[string]string{"2.0.0": "\"a\": \"b\"", "1.0.0": "left_out = {\n}"} {
		require.Contains(t, string(files[dir+"demo-"+version+"/values.lib.yml"]), "choice.is_one")
		require.Contains(t, string(files[dir+"demo-"+version+"/package.star"]), fact)
		require.Equal(t, versionSchema, string(files[dir+"demo-"+version+"/schema.yml"]))
	}
}

func TestSchemasOfVersionsThatDiffer(t *testing.T) {
	for name, properties := range map[string]string{
		"another default": `{"parts": {"type": "string", "default": "x"}}`,
		"another type":    `{"parts": {"type": "integer", "default": ""}}`,
		"another key":     `{"parts": {"type": "string", "default": ""}, "more": {"type": "string", "default": ""}}`,
	} {
		t.Run(name, func(t *testing.T) {
			err := addSchemas(map[string][]byte{}, twoVersions("upstream = \"2\"\n", "upstream = \"1\"\n", properties), catalog.Repository{})
			require.EqualError(t, err, "packages/demo/config/schema.yml: demo 1.0.0 declares other values, types or defaults than demo 2.0.0, and values of either may be given to it; declare the same in all versions, and refuse in a validation what one of them does not support")
		})
	}
}
