package repository_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// TestNamespacesOfOthers: no package creates, and later deletes, a namespace of the
// cluster or that of its PackageInstall. One that leaves its namespace to others may be
// put into any.
func TestNamespacesOfOthers(t *testing.T) {
	c, judged := checkout(t), 0
	for _, p := range c.Packages {
		v := p.Versions[len(p.Versions)-1]
		b, err := repository.BuildVersion(context.Background(), c, v, repository.Options{})
		require.NoError(t, err)
		declared, err := b.Values(context.Background())
		require.NoError(t, err)
		var defaults map[string]any
		require.NoError(t, yaml.Unmarshal(declared.Defaults, &defaults))
		if defaults["createNamespace"] != true {
			continue
		}
		judged++
		for _, values := range []map[string]any{
			{"namespace": "default"}, {"namespace": "kube-system"}, {"namespace": "kube-anything"},
			{"namespace": "packages", "strake": map[string]any{"namespace": "packages"}},
		} {
			for _, create := range []bool{true, false} {
				values["createNamespace"] = create
				text, err := yaml.Marshal(values)
				require.NoError(t, err)
				_, err = bundle.Render(context.Background(), b, []bundle.ValuesFile{{Name: "values.yml", Data: text}}, bundle.RenderOptions{})
				if create {
					require.ErrorContains(t, err, "because the package deletes the namespace that it creates", "%s: %s", p.Name, text)
				} else {
					require.NoError(t, err, "%s: %s", p.Name, text)
				}
			}
		}
	}
	require.GreaterOrEqual(t, judged, 8, "packages with the value createNamespace")
}
