package repository_test

import (
	"strings"

	kappconfig "carvel.dev/kapp/pkg/kapp/config"
	kappdiff "carvel.dev/kapp/pkg/kapp/diff"
	kappres "carvel.dev/kapp/pkg/kapp/resources"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// updated shows, for each object of cluster.yml, what an update by kapp would
// make of it: controllers write into objects that a package ships, and the
// package's rebase rules must leave that alone. kapp's own code applies them.
func (r renderCase) updated(cluster string, objects []manifest.Object) (string, error) {
	rendered := make([]kappres.Resource, 0, len(objects))
	for _, o := range objects {
		rendered = append(rendered, kappres.NewResourceUnstructured(*o.Unstructured, kappres.ResourceType{}))
	}
	fresh, config, err := kappconfig.NewConfFromResourcesWithDefaults(rendered)
	require.NoError(r.t, err)
	held, err := kappres.NewFileResource(kappres.NewBytesSource([]byte(cluster))).Resources()
	require.NoError(r.t, err)
	var out strings.Builder
	for _, existing := range held {
		update, err := kappdiff.NewRebasedResource(existing, r.same(existing, fresh), config.RebaseMods()).Resource()
		if err != nil {
			return "", err
		}
		out.WriteString(r.encode([]manifest.Object{{Unstructured: &unstructured.Unstructured{Object: update.DeepCopyRaw()}}}))
	}
	return out.String(), nil
}

// same is the rendered object of which a cluster holds the other one.
func (r renderCase) same(existing kappres.Resource, rendered []kappres.Resource) kappres.Resource {
	for _, o := range rendered {
		if o.Description() == existing.Description() {
			return o
		}
	}
	require.Fail(r.t, "cluster.yml: the package does not render "+existing.Description())
	return nil
}
