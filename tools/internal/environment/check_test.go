package environment

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

func TestNeeds(t *testing.T) {
	version := func(name, version string, needs ...catalog.Requirement) Package {
		return Package{Version: &catalog.Version{Package: &catalog.Package{Name: name}, Version: version, Requires: needs}}
	}
	dock := catalog.Requirement{Package: "dock", Constraint: ">=2.0.0", Reason: "to land\n"}
	maybe := catalog.Requirement{Package: "dock", Constraint: ">=2.0.0", Reason: "to be repaired", Optional: true}
	needs := func(packages []Package, apis ...string) []Finding {
		findings, err := needs(t.Context(), nil, &catalog.Environment{APIs: apis}, packages)
		require.NoError(t, err)
		return findings
	}
	require.Equal(t, []Finding{
		{"boat", "(version 1.0.0)", RuleNeed, "requires dock >=2.0.0 (to land), which is not installed"},
	}, needs([]Package{version("boat", "1.0.0", dock), version("raft", "1.0.0", maybe)}))
	require.Equal(t, []Finding{
		{"boat", "(version 1.0.0)", RuleNeed, "requires dock >=2.0.0 (to land), which is installed in 1.9.0"},
		{"raft", "(version 1.0.0)", RuleNeed, "requires dock >=2.0.0 (to be repaired), which is installed in 1.9.0"},
	}, needs([]Package{version("boat", "1.0.0", dock), version("raft", "1.0.0", maybe), version("dock", "1.9.0")}))
	require.Empty(t, needs([]Package{version("boat", "1.0.0", dock), version("dock", "2.1.0")}))
	dock.API = "dock.test/v1"
	require.Empty(t, needs([]Package{version("boat", "1.0.0", dock)}, "dock.test/v1"), "others provide it")
}

// TestValidatedVersion: the platform contains 2.0.0 and what is older and published.
func TestValidatedVersion(t *testing.T) {
	c := boats()
	installed := []*catalog.Version{c.Packages[0].Versions[4]}
	for constraint, want := range map[string]string{
		">=1.0.0": "2.0.0", "2.0.0": "2.0.0", "<2.0.0": "1.1.0", "1.0.0": "1.0.0", "1.9.0": "", ">2.0.0": "",
	} {
		require.Equal(t, want, validatedVersion(c.Repository, installed, Package{Version: installed[0], Range: constraint}), constraint)
	}
	require.Empty(t, validatedVersion(c.Repository, nil, Package{Version: installed[0], Range: ">=1.0.0"}), "the platform does not install it")
	raft := &catalog.Version{Package: &catalog.Package{Name: "raft"}, Version: "1.0.0"}
	require.Empty(t, otherVersions(c.Repository, []Package{{Version: raft}, {Version: installed[0], Range: ">=1.0.0"}}))
}

func TestUnrendered(t *testing.T) {
	err := fmt.Errorf("environment small: %w", fmt.Errorf("rendering boat 1.0.0: %w", errors.New("ytt: no such key\n"))) //nolint:revive // as ytt ends its errors
	v := &catalog.Version{Package: &catalog.Package{Name: "boat"}, Version: "1.0.0"}
	findings := unrendered(v, err)
	require.Len(t, findings, 1)
	require.Equal(t, "boat: (values and overlays): ytt: no such key (render)", findings[0].String())
}
