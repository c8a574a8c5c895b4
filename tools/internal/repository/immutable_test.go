package repository_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// immutable are fields that Kubernetes refuses to change, by kind. A default
// of the upstream that moves one, such as the size of a claim, would make the
// move to that version fail on every cluster.
var immutable = map[string][]string{
	"StatefulSet": {"spec.volumeClaimTemplates", "spec.serviceName", "spec.podManagementPolicy", "spec.selector"},
	"Deployment":  {"spec.selector"},
	"DaemonSet":   {"spec.selector"},
	"Job":         {"spec.selector", "spec.template"},
	"RoleBinding": {"roleRef"}, "ClusterRoleBinding": {"roleRef"},
	"CustomResourceDefinition": {"spec.group", "spec.scope", "spec.names.plural"},
}

// TestNextVersionKeepsWhatCannotChange renders each version and the one after
// it with the same values, the default ones.
func TestNextVersionKeepsWhatCannotChange(t *testing.T) {
	c := checkout(t)
	for _, p := range c.Packages {
		for i := 1; i < len(p.Versions); i++ {
			from, to := p.Versions[i-1], p.Versions[i]
			t.Run(from.ID()+" to "+to.Version, func(t *testing.T) {
				before := fixedFields(t, c, from)
				for field, value := range fixedFields(t, c, to) {
					if old, found := before[field]; found {
						require.Equal(t, old, value, "%s of %s; set it in an overlay, the same for all versions, or let kapp replace the object", field, to.ID())
					}
				}
			})
		}
	}
}

// fixedFields are the fields that cannot change, by object and path. An object
// that kapp replaces where it cannot update it has none.
func fixedFields(t *testing.T, c *catalog.Catalog, v *catalog.Version) map[string]any {
	t.Helper()
	b, err := repository.BuildVersion(context.Background(), c, v, repository.Options{})
	require.NoError(t, err)
	objects, err := bundle.Render(context.Background(), b, nil, bundle.RenderOptions{})
	require.NoError(t, err)
	fields := map[string]any{}
	for _, o := range objects {
		if strings.HasSuffix(o.GetAnnotations()["kapp.k14s.io/update-strategy"], "replace") {
			continue
		}
		for _, path := range immutable[o.GetKind()] {
			fields[o.ID()+" "+path] = fieldOf(t, o, path)
		}
	}
	return fields
}

func fieldOf(t *testing.T, o manifest.Object, path string) any {
	t.Helper()
	value, _, err := unstructured.NestedFieldNoCopy(o.Object, strings.Split(path, ".")...)
	require.NoError(t, err)
	return value
}

// TestNextVersionRunsItsJobs renders each version of an upstream and the one after
// it: a Job of the same name has run already, and does not run again. One that
// migrates what is stored belongs to each version.
func TestNextVersionRunsItsJobs(t *testing.T) {
	c := checkout(t)
	for _, p := range c.Packages {
		for i := 1; i < len(p.Versions); i++ {
			if from, to := p.Versions[i-1], p.Versions[i]; from.Upstream != to.Upstream {
				t.Run(from.ID()+" to "+to.Version, func(t *testing.T) {
					before := jobs(t, c, from)
					for _, name := range jobs(t, c, to) {
						require.NotContains(t, before, name, "the Job has run for %s; put the version into its name by an overlay", from.ID())
					}
				})
			}
		}
	}
}

func jobs(t *testing.T, c *catalog.Catalog, v *catalog.Version) (names []string) {
	t.Helper()
	b, err := repository.BuildVersion(context.Background(), c, v, repository.Options{})
	require.NoError(t, err)
	objects, err := bundle.Render(context.Background(), b, nil, bundle.RenderOptions{})
	require.NoError(t, err)
	for _, o := range objects {
		if o.GetKind() == "Job" {
			names = append(names, o.GetNamespace()+"/"+o.GetName())
		}
	}
	return names
}
