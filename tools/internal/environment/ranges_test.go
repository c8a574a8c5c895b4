package environment_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"carvel.dev/vendir/pkg/vendir/versions"
	vendir "carvel.dev/vendir/pkg/vendir/versions/v1alpha1"
	"github.com/carvel-dev/semver/v4"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/ytt"
)

// TestRangesOfThePlatform: the platform's own code, which is Starlark, takes the same
// texts for ranges and selects the same versions as kapp-controller's library.
func TestRangesOfThePlatform(t *testing.T) {
	offered := []string{"10.0.0", "2.10.0", "2.9.5", "2.9.5-rc.1.1", "2.9.5-rc.1", "2.9.5-alpha", "2.9.4+strake.10", "2.9.4+strake.2", "2.9.4", "2.0.0", "1.2.3", "0.9.0"}
	ranges := []string{
		"2.9.5", "=2.9.5", "==2.9.5", "2.9.4", "2.9.4+strake.2", "2.9.3", ">=2.9.4", ">2.9.4", "<2.9.5", "<=2.9.5", "!2.9.5", "!=10.0.0 <2.9.5", ">=2.9.4 <2.10.0",
		">= 2.9.4 < 2.10.0", "<2.0.0 || >=3.0.0", "1.2.3 || 0.9.0", "<1.0.0 || 1.2.3 || >2.0.0 <2.9.4", "2.9.x", "2.x", "2.x.x", ">2.9.x", ">=2.9.x", "<2.9.x", "<=2.9.x", "!=2.9.x",
		"!2.x", ">1.x <10.x", "11.x", "2.9.5-rc.1", ">2.9.4+strake.2 <=2.9.4+strake.10", ">=2.9.5-alpha <2.9.5", "  2.9.5", "2.9.5 ", "1.2.3  ||  0.9.0",
		"", " ", "latest", "1.2", "1", ">=", "=>1.2.3", "~1.2.3", "^1.2.3", "01.2.3", "1.2.3 ||", "|| 1.2.3", "1.2.3.4", "1.2.3-", ">=1.2.3,<2.0.0", "v1.2.3", "*", "x",
	}
	code, err := os.ReadFile("../../../packages/platform/config/lib/versions.star")
	require.NoError(t, err)
	var template strings.Builder
	template.WriteString("#@ load(\"/versions.star\", \"is_range\", \"selected\")\n#@ install = {\"versions\": [\n")
	for _, version := range offered {
		fmt.Fprintf(&template, "#@   {\"version\": %q},\n", version)
	}
	template.WriteString("#@ ]}\n---\n")
	for _, text := range ranges {
		fmt.Fprintf(&template, "- {range: #@ is_range(%[1]q)\n  , selected: #@ (selected(install, %[1]q) or {}).get(\"version\")\n  }\n", text)
	}
	request := ytt.Request{Files: []ytt.File{{Name: "versions.star", Data: code}, {Name: "t.yml", Data: []byte(template.String())}}}
	made, err := request.Run(t.Context())
	require.NoError(t, err)
	var answers []struct {
		Range    bool
		Selected string
	}
	require.NoError(t, yaml.Unmarshal(made.Stream, &answers))
	require.Len(t, answers, len(ranges))
	for i, text := range ranges {
		_, err := semver.ParseRange(text)
		if text == "" || text == " " {
			require.False(t, answers[i].Range, "%q is a range for the library, and no version is in it", text)
			continue
		}
		require.Equal(t, err == nil, answers[i].Range, "%q: %v", text, err)
		selection := vendir.VersionSelectionSemver{Constraints: text}
		if one, err := semver.Parse(strings.TrimSpace(text)); err == nil && len(one.Pre) > 0 {
			selection.Prereleases = &vendir.VersionSelectionSemverPrereleases{}
		}
		want, _ := versions.HighestConstrainedVersion(offered, vendir.VersionSelection{Semver: &selection})
		require.Equal(t, want, answers[i].Selected, "%q", text)
	}
}
