package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	profileDir  = "packages/boat/permissions/"
	goodProfile = "reason: The boat reads charts.\nwhen: values.charts.enabled\nversions: \">=1.0.0\"\nvalues:\n- charts: {enabled: true}\n"
)

func withProfiles() files {
	return good().with(profileDir+"base.yml", "reason: Every boat.\nvalues:\n- charts: {enabled: false}\n").
		with(profileDir+"charts.yml", goodProfile)
}

func TestLoadProfiles(t *testing.T) {
	c, err := Load(withProfiles().with(profileDir+"later.yml", "reason: Later.\nversions: \">=2.0.0\"\n").write(t))
	require.NoError(t, err)
	require.Len(t, c.Packages[0].Profiles, 3)
	profiles := c.Packages[0].Versions[0].Profiles()
	require.Len(t, profiles, 2, "one is for later versions")
	require.Equal(t, &Profile{
		Name: "charts", File: profileDir + "charts.yml", Reason: "The boat reads charts.", When: "values.charts.enabled", Versions: ">=1.0.0",
		Values: []map[string]any{{"charts": map[string]any{"enabled": true}}},
	}, profiles[1])
}

func TestLoadProfileErrors(t *testing.T) {
	const base, charts = profileDir + "base.yml", profileDir + "charts.yml"
	for name, test := range map[string]struct{ file, old, new, want string }{
		"unknown field":         {charts, "when:", "wen:", charts + `:2: unknown field "wen"; did you mean when?`},
		"no reason":             {charts, "reason: The boat reads charts.\n", "", charts + `:1: missing field "reason"`},
		"base with a condition": {base, "values:", "when: values.x\nvalues:", base + ":2: every install gets the profile base; remove the condition"},
		"no values":             {charts, "values:\n- charts: {enabled: true}\n", "", charts + ":2: no values; give those from which the permissions are derived"},
		"values in vain":        {charts, "when: values.charts.enabled\n", "", charts + ":3: values without a condition; add them to base.yml"},
		"two lines":             {charts, "when: values.charts.enabled", "when: |\n  values.a\n  and values.b", charts + ":2: the condition is not one line"},
		"base with namespaces":  {base, "values:", "namespaces: values.x\nvalues:", base + ":2: the profile base is granted in all namespaces; move the values that name these into another profile"},
		"namespaces of lines":   {charts, "when:", "namespaces: |\n  values.a\n  + values.b\nwhen:", charts + ":2: the expression is not one line"},
		"versions":              {charts, ">=1.0.0", "later", charts + `:3: versions "later" is not a range of versions`},
		"values are no map":     {charts, "- charts: {enabled: true}", "- charts", charts + `:5: field "values[0]" must be a mapping`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(withProfiles().edit(t, test.file, test.old, test.new).write(t))
			require.ErrorContains(t, err, test.want)
		})
	}
	_, err := Load(withProfiles().without(base).write(t))
	require.ErrorContains(t, err, base+": missing; it holds the values whose permissions every install gets")
	_, err = Load(withProfiles().with(profileDir+"Charts.yaml", goodProfile).write(t))
	require.ErrorContains(t, err, profileDir+"Charts.yaml: not a permission profile")
	_, err = Load(withProfiles().with(profileDir+"a.yml", "reason: A.\n").with(profileDir+"b.yml", "reason: B.\n").write(t))
	require.ErrorContains(t, err, profileDir+"b.yml: every install gets it, as a; put both reasons into one profile")
}

// TestLoadProfilesWithoutCondition: each version has at most one beside base.
func TestLoadProfilesWithoutCondition(t *testing.T) {
	for name, test := range map[string]struct{ a, b, want string }{
		"both in all":          {"", "", "every install gets it, as a; put both reasons into one profile, or set versions so that no version has both"},
		"one in all":           {"", "versions: \">=1.2.0\"\n", "every install of 1.2.0 gets it, as a;"},
		"ranges with the one":  {"versions: \"<2.0.0\"\n", "versions: \">=1.2.0\"\n", "every install of 1.2.0 gets it, as a;"},
		"none in both":         {"versions: \"<1.2.0\"\n", "versions: \">=1.2.0\"\n", ""},
		"one with a condition": {"", "when: values.x\nvalues:\n- {}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(withProfiles().with(profileDir+"a.yml", "reason: A.\n"+test.a).with(profileDir+"b.yml", "reason: B.\n"+test.b).write(t))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, profileDir+"b.yml: "+test.want)
		})
	}
}
