package test

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// TestFluxInstallsTheEnvironment has our Flux install another package, as people
// do it by git: `strake env render --gitops` writes a folder into a git
// repository, and the cluster's own Kustomization finds it there. A Kustomization
// that is ready stands for packages that are; another value arrives by a commit,
// and removing the folder removes the packages.
func TestFluxInstallsTheEnvironment(t *testing.T) {
	c := onCluster(t)
	version := newestPicked(t, "flux")
	imagesWithinReach(t, "flux", version)
	c.startEmpty(t)
	c.uninstall(t, namesOf(c.up(t, "keda")), "--delete-objects") // its images are there now
	flux := namesOf(c.up(t, "flux@"+version))

	work := newGitOps(t, c)
	before := c.snapshot(t)
	t.Cleanup(func() { work.explain(t) })
	work.render(t, "info")
	work.encryptValues(t)
	work.render(t, "info") // now it names the encrypted file
	prerequisites := work.prerequisites(t)
	t.Cleanup(func() { work.removeFlux(t, flux, prerequisites, before) })
	t.Cleanup(func() { work.removePrerequisites(t, prerequisites, before) })
	work.git.commit(t)
	c.apply(t, gitRepository(work.namespace, work.git.url)+"\n---\n"+clusterKustomization(work.namespace))
	t.Cleanup(func() { work.remove(t) })
	work.requireInstalled(t, "info")

	work.render(t, "debug")
	work.git.commit(t)
	work.requireInstalled(t, "debug")

	require.NoError(t, os.RemoveAll(work.dir()))
	work.git.commit(t)
	for _, name := range []string{"keda", "platform"} {
		c.waitInstallGone(t, "packages", name)
	}
	c.waitGone(t, kustomizationKind, work.namespace, "platform")
	require.NotNil(t, c.get(t, serviceAccountKind, "packages", "platform-installer"), "kapp-controller needs it to the end")
	work.removePrerequisites(t, prerequisites, before)
	work.remove(t)
	c.requireNothingLeft(t, before)
}

// gitOps is a checkout with an environment of KEDA alone, a git repository for
// what is rendered of it, and a namespace of Flux's objects.
type gitOps struct {
	cluster         *cluster
	root, namespace string
	canonical       string
	git             *gitServer
	// secret is a value that must not be in git in clear.
	secret string
	key    ageKey
}

func newGitOps(t *testing.T, c *cluster) *gitOps {
	t.Helper()
	_, path, _ := strings.Cut(readCheckout(t).Canonical, "/")
	w := &gitOps{
		cluster: c, root: t.TempDir(), namespace: c.namespace(t, "gitops"),
		canonical: c.registry.RegistryCluster + "/" + path, git: serveGit(t, c), secret: rand.Text(), key: newAgeKey(t),
	}
	w.giveKey(t)
	for _, dir := range []string{"packages", "repo"} {
		require.NoError(t, os.CopyFS(filepath.Join(w.root, dir), os.DirFS(filepath.Join("..", dir))))
	}
	w.write(t, "config/keda-alone/environment.yml", "description: KEDA and nothing else\nkubernetes: 1.34.4\n")
	w.git.commit(t, map[string]string{"clusters/test/other.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other, namespace: " + w.namespace + "}\n"})
	return w
}

func (w *gitOps) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(w.root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

// dir is where the folder lies in the git repository.
func (w *gitOps) dir() string { return filepath.Join(w.git.work, "clusters", "test", "platform") }

// render writes the folder, with the values of dev but for the operator's level
// of logs.
func (w *gitOps) render(t *testing.T, level string) {
	t.Helper()
	out, err := strake(lasting(t), "", "env", "values", "dev", "keda")
	require.NoError(t, err)
	var values map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(out), &values))
	require.NoError(t, unstructured.SetNestedField(values, level, "operator", "log", "level"))
	text, err := yaml.Marshal(map[string]any{"packages": map[string]any{"keda": map[string]any{"enabled": true, "values": values}}})
	require.NoError(t, err)
	w.write(t, "config/keda-alone/values.yml", string(text))
	out, err = strake(lasting(t), "", "env", "render", "keda-alone", "--root", w.root, "--gitops", w.dir(),
		"--repository", w.canonical, "--source", "app", "--flux-namespace", w.namespace,
		"--values-secret", valuesSecret, "--sops-secret", keySecret)
	require.NoError(t, err, "%s", out)
}

const (
	// valuesSecret holds values that are not in values.yml, and keySecret the key by
	// which Flux decrypts it.
	valuesSecret, keySecret = "secret-values", "sops-age"
	// secretAnnotation is what the secret becomes: an annotation, which is seen.
	secretAnnotation = "test.strake.internal/secret"
)

// giveKey gives Flux the key by which it decrypts.
func (w *gitOps) giveKey(t *testing.T) {
	t.Helper()
	secret, err := yaml.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": keySecret, "namespace": w.namespace},
		"stringData": map[string]any{"test.agekey": w.key.identity},
	})
	require.NoError(t, err)
	w.cluster.apply(t, string(secret))
}

// encryptValues does with a secret value what the folder's README says.
func (w *gitOps) encryptValues(t *testing.T) {
	t.Helper()
	encrypted := w.key.encrypt(t, fmt.Sprintf(`apiVersion: v1
kind: Secret
metadata: {name: %s, namespace: packages}
stringData:
  values.yml: |
    packages: {keda: {values: {annotations: {%s: %s}}}}
`, valuesSecret, secretAnnotation, w.secret))
	file := filepath.Join(w.dir(), "prerequisites", valuesSecret+".sops.yaml")
	require.NoError(t, os.WriteFile(file, []byte(encrypted), 0o600))
	require.NoError(t, filepath.WalkDir(w.dir(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		require.NotContains(t, string(text), w.secret, path)
		return err
	}))
}

// requireInstalled waits until Flux has applied the last commit. Then it need not
// wait for anything else.
func (w *gitOps) requireInstalled(t *testing.T, level string) {
	t.Helper()
	c, head := w.cluster, runGit(t, w.git.work, "rev-parse", "HEAD")
	eventually(t, 6*time.Minute, "Flux has applied "+head, func() (bool, string) {
		object := c.get(t, kustomizationKind, w.namespace, "platform")
		if object == nil {
			return false, w.say(t)
		}
		applied, _, _ := unstructured.NestedString(object.Object, "status", "lastAppliedRevision")
		return strings.HasSuffix(applied, head) && condition(object, "Ready") == "True", w.say(t)
	})
	for _, name := range []string{"platform", "keda"} {
		done, say := reconciled(c.get(t, packageInstallKind, "packages", name))
		require.True(t, done, "Flux is done, and the PackageInstall %s says: %s", name, say)
	}
	operator := c.get(t, deploymentKind, "keda", "keda-operator")
	require.NotNil(t, operator)
	require.Contains(t, fmt.Sprint(operator.Object["spec"]), "--zap-log-level="+level)
	require.Equal(t, w.secret, operator.GetAnnotations()[secretAnnotation], "values that Flux decrypted")
	ready, _, _ := unstructured.NestedInt64(operator.Object, "status", "readyReplicas")
	require.EqualValues(t, 1, ready)
}

// say is what Flux's Kustomizations and the installs tell of themselves.
func (w *gitOps) say(t *testing.T) string {
	t.Helper()
	var lines []string
	for _, name := range []string{"cluster", "platform-prerequisites", "platform"} {
		if object := w.cluster.get(t, kustomizationKind, w.namespace, name); object != nil {
			conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
			lines = append(lines, fmt.Sprintf("\n  Kustomization %s: %v", name, conditions))
		}
	}
	for _, name := range []string{"platform", "keda"} {
		if object := w.cluster.get(t, packageInstallKind, "packages", name); object != nil {
			_, say := reconciled(object)
			lines = append(lines, fmt.Sprintf("\n  PackageInstall %s: %s", name, say))
		}
	}
	return strings.Join(lines, "")
}

// explain tells a person of a failed test what was there.
func (w *gitOps) explain(t *testing.T) {
	t.Helper()
	if t.Failed() {
		fmt.Fprintln(os.Stderr, w.say(t))
	}
}

// prerequisites are the objects that stay when the folder goes, as its README
// says, and their namespaces.
func (w *gitOps) prerequisites(t *testing.T) (objects []unstructured.Unstructured) {
	t.Helper()
	for _, name := range []string{"repository.yaml", "rights.yaml", "namespaces.yaml"} {
		text, err := os.ReadFile(filepath.Join(w.dir(), "prerequisites", name))
		require.NoError(t, err)
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			var o unstructured.Unstructured
			require.NoError(t, yaml.Unmarshal([]byte(document), &o.Object))
			if o.GetKind() != "" { // the first is the comment at a file's top
				objects = append(objects, o)
			}
		}
	}
	return objects
}

// removePrerequisites deletes them as a person does, but for what was there before:
// Flux's own namespace.
func (w *gitOps) removePrerequisites(t *testing.T, prerequisites []unstructured.Unstructured, before map[string]bool) {
	t.Helper()
	for _, o := range prerequisites {
		if !before[identify(&o)] {
			w.cluster.delete(t, o.GroupVersionKind(), o.GetNamespace(), o.GetName())
		}
	}
}

// removeFlux uninstalls Flux, and deletes its namespace: that stays once the folder has
// named it, for the rights that stand in it.
func (w *gitOps) removeFlux(t *testing.T, names []string, prerequisites []unstructured.Unstructured, before map[string]bool) {
	t.Helper()
	w.cluster.uninstall(t, names, "--delete-objects")
	for _, o := range prerequisites {
		if o.GetKind() == "Namespace" && before[identify(&o)] {
			require.NoError(t, w.cluster.removeNamespace(lasting(t), o.GetName()))
		}
	}
}

// remove takes the cluster's own Kustomization away; what it applied goes with it.
func (w *gitOps) remove(t *testing.T) {
	t.Helper()
	w.cluster.delete(t, kustomizationKind, w.namespace, "cluster")
	for _, name := range []string{"cluster", "platform", "platform-prerequisites"} {
		w.cluster.waitGone(t, kustomizationKind, w.namespace, name)
	}
	w.cluster.delete(t, gitRepositoryKind, w.namespace, "app")
}

// clusterKustomization applies all that is in the cluster's folder, as the one
// that `flux bootstrap` makes.
func clusterKustomization(namespace string) string {
	return fmt.Sprintf(`apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: cluster, namespace: %[1]s}
spec:
  sourceRef: {kind: GitRepository, name: app}
  path: ./clusters/test
  prune: true
  interval: %[2]s
  retryInterval: %[2]s`, namespace, tended)
}
