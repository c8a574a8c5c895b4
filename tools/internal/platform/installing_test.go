package platform

import (
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/inputs"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// installing is the checkout's own catalog, and its version that installs others.
func installing(t *testing.T) (*catalog.Catalog, *catalog.Version) {
	t.Helper()
	root, err := catalog.FindRoot(".")
	require.NoError(t, err)
	c, err := catalog.Load(root)
	require.NoError(t, err)
	v, err := c.Platform()
	require.NoError(t, err)
	require.NotEmpty(t, v.Installed())
	return c, v
}

// TestDefaultInstallsNothingTwice: what installs others is taken where it is named.
func TestDefaultInstallsNothingTwice(t *testing.T) {
	c, v := installing(t)
	require.NotContains(t, Default(c), v)
	require.Subset(t, Default(c), v.Installed())
	require.Equal(t, []*catalog.Version{v}, Default(c, v.Package.Name))
}

func TestStepsOfWhatInstallsOthers(t *testing.T) {
	c, v := installing(t)
	plan, err := New(c, Options{Packages: []*catalog.Version{v}, Namespace: "here"})
	require.NoError(t, err)
	steps := plan.Steps()
	require.Equal(t, []string{"build the images of " + v.ID() + ", and of the packages that it installs", "install " + v.ID() + " in the namespace here"}, steps[len(steps)-2:])
}

// TestValuesOfWhatInstallsOthers: installs are made in the install's own namespace,
// unless somebody wants another one, and are those of the development environment.
func TestValuesOfWhatInstallsOthers(t *testing.T) {
	c, v := installing(t)
	values, err := Values(t.Context(), c, nil)
	require.NoError(t, err)
	for want, given := range map[string]Given{"here": values[v.Package.Name], "there": {Values: []bundle.ValuesFile{{Name: "mine.yml", Data: []byte("namespace: there\n")}}}} {
		plan := &Plan{catalog: c, options: Options{Namespace: "here", Values: map[string]Given{v.Package.Name: given}}}
		files, err := plan.valuesOf(v)
		require.NoError(t, err)
		text, err := ytt.Merged(t.Context(), files)
		require.NoError(t, err)
		var got struct {
			Namespace string         `json:"namespace"`
			Packages  map[string]any `json:"packages"`
		}
		require.NoError(t, yaml.Unmarshal(text, &got))
		require.Equal(t, want, got.Namespace)
		if want == "here" {
			require.Len(t, got.Packages, len(v.Installed()))
		}
	}
	plan := &Plan{options: Options{Values: map[string]Given{v.Package.Name: {From: inputs.Of(v.Package.Name, inputs.File{Name: "mine.yml", Data: []byte("- a list")})}}}}
	_, err = plan.valuesOf(v)
	require.EqualError(t, err, "mine.yml:1: expected a map of values, found a list")
}
