package gitops

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	packaging "github.com/vmware-tanzu/carvel-kapp-controller/pkg/apis/packaging/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// TestEnvironmentsForFlux: whatever an environment says, kustomize builds its
// folders, and a cluster with kapp-controller and Flux admits what comes out.
func TestEnvironmentsForFlux(t *testing.T) {
	c := checkout(t)
	names, err := c.Environments()
	require.NoError(t, err)
	cluster := api(t, c)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			e := environmentOf(t, c, name)
			folder, dir := made(t, c, e, options())
			var all []manifest.Object
			for _, below := range []string{".", prerequisitesDir, installDir} {
				all = append(all, kustomized(t, filepath.Join(dir, below))...)
			}
			// kustomize breaks base64 into lines, which API servers read and validators do not.
			for key, text := range only(t, all, environment.SecretKind).Object["data"].(map[string]any) {
				only(t, all, environment.SecretKind).Object["data"].(map[string]any)[key] = strings.ReplaceAll(text.(string), "\n", "")
			}
			found, err := environment.Validate(t.Context(), environment.Rendered{name: all}, cluster, environment.Options{})
			require.NoError(t, err)
			require.Empty(t, found)

			again, err := Make(t.Context(), c, e, options())
			require.NoError(t, err)
			require.Equal(t, folder, again)

			for _, o := range all {
				require.NoError(t, unstructured.SetNestedField(o.Object, "yes", "waits"))
			}
			found, err = environment.Validate(t.Context(), environment.Rendered{name: all}, cluster, environment.Options{})
			require.NoError(t, err)
			require.Len(t, found, len(all), "a field that no kind has is seen in each object")
		})
	}
}

func TestPrerequisites(t *testing.T) {
	c := checkout(t)
	folder, dir := made(t, c, environmentOf(t, c, "airgapped"), options())
	objects := kustomized(t, filepath.Join(dir, prerequisitesDir))

	repository := into[packaging.PackageRepository](t, only(t, objects, "PackageRepository"))
	require.Equal(t, folder.Repository, repository.Spec.Fetch.ImgpkgBundle.Image)
	require.Regexp(t, `^registry\.example\.com/platform@sha256:[0-9a-f]{64}$`, folder.Repository)
	require.Equal(t, "registry-credentials", repository.Spec.Fetch.ImgpkgBundle.SecretRef.Name)
	require.Equal(t, "packages", repository.Namespace)

	require.Equal(t, "platform-installer", only(t, objects, "ServiceAccount").GetName())
	namespaces := map[string]bool{"flux-system": true, "kube-system": true} // Flux runs in one, and the other is everywhere
	for _, o := range objects {
		if o.GetKind() == "Namespace" {
			require.NotEqual(t, "flux-system", o.GetName())
			require.Equal(t, "disabled", o.GetAnnotations()["kustomize.toolkit.fluxcd.io/prune"])
			namespaces[o.GetName()] = true
		}
	}
	for _, o := range objects {
		require.True(t, o.GetNamespace() == "" || namespaces[o.GetNamespace()], "%s is in a namespace that nothing makes", o.ID())
	}
	for _, need := range folder.Needs {
		require.True(t, namespaces[need.Namespace], "%s is in a namespace that nothing makes", need)
	}
}

func TestInstall(t *testing.T) {
	c := checkout(t)
	e := environmentOf(t, c, "airgapped")
	o := options()
	o.ValuesSecret = "platform-secrets"
	install := func() (packaging.PackageInstall, corev1.Secret) {
		_, dir := made(t, c, e, o)
		objects := kustomized(t, filepath.Join(dir, installDir))
		return into[packaging.PackageInstall](t, only(t, objects, "PackageInstall")), into[corev1.Secret](t, only(t, objects, "Secret"))
	}
	first, values := install()
	require.Equal(t, "platform.strake.internal", first.Spec.PackageRef.RefName)
	require.Equal(t, "platform-installer", first.Spec.ServiceAccountName)
	require.Equal(t, "registry-credentials", first.Annotations[fetchAnnotation])
	require.Equal(t, []string{values.Name, "platform-secrets"}, []string{first.Spec.Values[0].SecretRef.Name, first.Spec.Values[1].SecretRef.Name})
	require.Equal(t, first.Namespace, values.Namespace)
	require.Equal(t, []string{valuesFile}, sortedKeys(values.Data))
	merged, err := environment.Values(t.Context(), c, e, c.Repository.Platform)
	require.NoError(t, err)
	inConfig, err := yaml.YAMLToJSON(merged)
	require.NoError(t, err)
	inSecret, err := yaml.YAMLToJSON(values.Data[valuesFile])
	require.NoError(t, err)
	require.JSONEq(t, string(inConfig), string(inSecret), "all that the Secret holds is in config/")

	e.Sources = append(e.Sources, source("fetchSecret: others"))
	second, _ := install()
	require.NotEqual(t, first.Spec.Values[0], second.Spec.Values[0], "other values are another Secret, for which Flux waits")
}

// TestFluxWaits: the install comes after its account, is taken away before that
// is, and neither is ready before kapp-controller is done with it.
func TestFluxWaits(t *testing.T) {
	c := checkout(t)
	o := options()
	o.Flux.DependsOn, o.Flux.SOPSSecret, o.Flux.ServiceAccount = []string{"secrets"}, "age", "deployer"
	_, dir := made(t, c, environmentOf(t, c, "prod"), o)
	objects := kustomized(t, dir)
	require.Len(t, objects, 2)
	type kustomization struct {
		Spec struct {
			DependsOn                                []struct{ Name string }
			DeletionPolicy, Path, ServiceAccountName string
			Prune                                    bool
			HealthChecks, HealthCheckExprs           []struct{ Kind, Name, Current, Failed string }
			Decryption                               struct {
				Provider  string
				SecretRef struct{ Name string }
			}
		}
	}
	read := func(o manifest.Object) (k kustomization) {
		text, err := yaml.Marshal(o.Object)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &k))
		return k
	}
	first, second := read(objects[0]), read(objects[1])
	require.Equal(t, "secrets", first.Spec.DependsOn[0].Name)
	require.Equal(t, "Orphan", first.Spec.DeletionPolicy)
	require.Equal(t, []string{"sops", "age"}, []string{first.Spec.Decryption.Provider, first.Spec.Decryption.SecretRef.Name})
	require.Equal(t, "./clusters/here/platform/prerequisites", first.Spec.Path)

	require.Equal(t, objects[0].GetName(), second.Spec.DependsOn[0].Name)
	require.Equal(t, "WaitForTermination", second.Spec.DeletionPolicy)
	require.Empty(t, second.Spec.Decryption.Provider)
	var waited []string
	for _, k := range []kustomization{first, second} {
		require.True(t, k.Spec.Prune)
		require.Equal(t, "deployer", k.Spec.ServiceAccountName)
		judged := map[string]bool{}
		for _, expr := range k.Spec.HealthCheckExprs {
			require.False(t, judged[expr.Kind], "Flux takes one of each kind")
			judged[expr.Kind] = true
			require.Contains(t, expr.Current, "ReconcileSucceeded")
		}
		for _, check := range k.Spec.HealthChecks {
			waited = append(waited, check.Kind+" "+check.Name)
			require.True(t, judged[check.Kind], check.Kind)
		}
	}
	require.Subset(t, waited, []string{"PackageRepository platform", "PackageInstall keda", "App keda"})
	require.Equal(t, []string{"PackageInstall platform", "App platform"}, waited[len(waited)-2:], "after its packages")
}

func TestEncryptedFilesBelongToTheFolder(t *testing.T) {
	c := checkout(t)
	e := environmentOf(t, c, "prod")
	_, dir := made(t, c, e, options())
	file := filepath.Join(dir, prerequisitesDir, "tls.sops.yaml")
	require.NoError(t, os.WriteFile(file, []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: platform-tls, namespace: traefik}\n"), 0o644))
	o := options()
	var err error
	o.Encrypted, err = Encrypted(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"tls.sops.yaml"}, o.Encrypted)
	folder, err := Make(t.Context(), c, e, o)
	require.NoError(t, err)
	changes, err := Write(dir, folder, false)
	require.NoError(t, err)
	require.Equal(t, Changes{Written: []string{fluxFile, "prerequisites/kustomization.yaml"}}, changes)
	require.Contains(t, string(folder.Files[fluxFile]), "decryption:\n    provider: sops\n")
	require.FileExists(t, file)
	only(t, kustomized(t, filepath.Join(dir, prerequisitesDir)), "Secret")
}

func TestMakeRefuses(t *testing.T) {
	c := checkout(t)
	for name, test := range map[string]struct {
		change func(o *Options)
		values string
		says   string
	}{
		"no registry":        {func(o *Options) { o.Repository = "" }, "", "environment prod: it has no registry; set registry in environment.yml, or pass the location of the package repository with --repository"},
		"another digest":     {func(o *Options) { o.Repository = "a.test/b@sha256:12" }, "", "a.test/b@sha256:12 is not the digest of this checkout, which is sha256:"},
		"no repository":      {func(o *Options) { o.Repository = "platform" }, "", `"platform" is not a repository`},
		"an unknown version": {func(o *Options) { o.From = "0.0.1" }, "", "0.0.1"},
		"nothing to install": {nil, "packages: {}", "its values enable no package"},
		"a wrong value":      {nil, "package: 1", "package"},
		"a secret": {nil, "fetchSecret: https://me:secret@registry.test",
			"fetchSecret holds a URL with a password, which git would expose to all readers; remove it from config/"},
	} {
		t.Run(name, func(t *testing.T) {
			e, o := environmentOf(t, c, "prod"), options()
			if test.change != nil {
				test.change(&o)
			}
			if test.values != "" {
				e.Sources = []catalog.Source{source(test.values)}
			}
			_, err := Make(t.Context(), c, e, o)
			require.ErrorContains(t, err, test.says)
			require.NotContains(t, err.Error(), "me:secret")
		})
	}
	t.Run("not published", func(t *testing.T) {
		delete(c.Repository.Published, c.Repository.Platform)
		_, err := Make(t.Context(), c, environmentOf(t, c, "prod"), options())
		require.ErrorContains(t, err, "is not published in repo/repository.yml, so a cluster cannot install it")
	})
}

// TestRights: by default the account can remove what these values do not enable;
// exact rights are for these values alone, and those of a move for the other
// version, too.
func TestRights(t *testing.T) {
	c := checkout(t)
	platform, err := c.Platform()
	require.NoError(t, err)
	rights := func(o Options) string {
		e := environmentOf(t, c, "prod")
		e.Sources = []catalog.Source{source("packages: {keda: {enabled: true}}")}
		folder, err := Make(t.Context(), c, e, o)
		require.NoError(t, err)
		return string(folder.Files["prerequisites/rights.yaml"])
	}
	plain, o := rights(options()), options()
	require.Contains(t, plain, "dapr-installer")
	require.Contains(t, plain, "keda-installer")
	o.Exact = true
	exact := rights(o)
	require.NotContains(t, exact, "dapr")
	require.Contains(t, exact, "keda-installer")
	o.From = platform.Version
	require.Contains(t, rights(o), "dapr-installer")
}

func TestPinned(t *testing.T) {
	const digest = "sha256:ab"
	for _, given := range []string{"localhost:5000/a/b", "localhost:5000/a/b:0.1.0", "localhost:5000/a/b@sha256:ab", "localhost:5000/a/b:0.1.0@sha256:ab"} {
		have, err := pinned(given, digest)
		require.NoError(t, err)
		require.Equal(t, "localhost:5000/a/b@sha256:ab", have, given)
	}
	for _, wrong := range []string{"https://a.test/b", "a.test/", "a.test/:1", "/b"} {
		_, err := pinned(wrong, digest)
		require.ErrorContains(t, err, "is not a repository", wrong)
	}
}

func TestInstalls(t *testing.T) {
	install := func(namespace, secret string) manifest.Object {
		o := object("packaging.carvel.dev/v1alpha1", "PackageInstall", namespace, "x", nil)
		if secret != "" {
			o.SetAnnotations(map[string]string{fetchAnnotation: secret})
		}
		return o
	}
	namespace, secret, err := installs([]manifest.Object{install("a", "s"), object("v1", "Secret", "b", "y", nil), install("a", "s")})
	require.NoError(t, err)
	require.Equal(t, []string{"a", "s"}, []string{namespace, secret})
	_, secret, err = installs([]manifest.Object{install("a", "s"), install("a", "")})
	require.NoError(t, err)
	require.Empty(t, secret, "who fetches by what is each install's own choice")
	_, _, err = installs([]manifest.Object{install("a", ""), install("b", "")})
	require.ErrorContains(t, err, "in the namespaces a and b")
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func TestReadme(t *testing.T) {
	c := checkout(t)
	o := options()
	o.ValuesSecret = "platform-secrets"
	folder, err := Make(t.Context(), c, environmentOf(t, c, "airgapped"), o)
	require.NoError(t, err)
	page := string(folder.Files[readmeFile])
	require.Contains(t, page, "| Secret packages/platform-secrets | the PackageInstall platform: further values")
	for _, need := range folder.Needs {
		require.Equal(t, 1, strings.Count(page, "| "+need.String()+" | "+need.For[0]))
	}
	dev, err := Make(t.Context(), c, environmentOf(t, c, "dev"), options())
	require.NoError(t, err)
	require.Empty(t, dev.Needs)
	require.Contains(t, string(dev.Files[readmeFile]), "No other objects are required: this folder or the packages create every Secret and ConfigMap that is referred to.")
}
