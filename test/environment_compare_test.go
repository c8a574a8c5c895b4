package test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// renderedAs is what `strake env render` prints of one package.
type renderedAs struct {
	objects []*unstructured.Unstructured
	// configs are kapp's own, which no cluster stores.
	configs []*unstructured.Unstructured
}

// readRendered parts what `strake env render` prints by the comments that name
// the packages.
func readRendered(t *testing.T, text string) map[string]renderedAs {
	t.Helper()
	packages := map[string]renderedAs{}
	for part := range strings.SplitSeq("\n"+text, "\n# ") {
		head, documents, found := strings.Cut(part, "\n---\n")
		if !found {
			continue
		}
		name, _, _ := strings.Cut(head, " ")
		var p renderedAs
		for document := range strings.SplitSeq(documents, "\n---\n") {
			object := &unstructured.Unstructured{}
			require.NoError(t, yaml.Unmarshal([]byte(document+"\n"), &object.Object)) // a text at its end has the line break, too
			if object.GroupVersionKind().Group == "kapp.k14s.io" {
				p.configs = append(p.configs, object)
			} else {
				p.objects = append(p.objects, object)
			}
		}
		packages[name] = p
	}
	return packages
}

// differing looks up every object of a package and compares each field that was
// rendered. What the cluster adds, such as defaults, is its own matter.
func (c *cluster) differing(t *testing.T, namespace string, p renderedAs) (differing []string) {
	t.Helper()
	for _, want := range p.objects {
		in := want.GetNamespace()
		if in == "" {
			in = namespace
		}
		have := c.get(t, want.GroupVersionKind(), in, want.GetName())
		if have == nil {
			differing = append(differing, identify(want)+": it is not on the cluster")
			continue
		}
		for _, difference := range compareObject(want, have, ownedByOthers(p.configs, want)) {
			differing = append(differing, identify(want)+": "+difference)
		}
	}
	return differing
}

// fieldPath is a path as kapp writes it in its Config: keys, and "*" for all
// items of a list.
type fieldPath []string

func (p fieldPath) String() string { return strings.Join(p, ".") }

// below tells whether the path is the other one or within it.
func (p fieldPath) below(other fieldPath) bool {
	return len(p) >= len(other) && slices.EqualFunc(p[:len(other)], other, func(have, want string) bool {
		return want == "*" || have == want
	})
}

// byKappItself are fields that kapp leaves to the cluster without being told to,
// see pkg/kapp/config/default.go of kapp.
var byKappItself = []fieldPath{
	{"webhooks", "*", "clientConfig", "caBundle"},
	{"spec", "conversion", "webhook", "clientConfig", "caBundle"},
	{"spec", "caBundle"},
}

// ownedByOthers are the fields of an object that controllers write: those that a
// package's kapp Config takes from the cluster.
func ownedByOthers(configs []*unstructured.Unstructured, object *unstructured.Unstructured) []fieldPath {
	owned := slices.Clone(byKappItself)
	if _, aggregated := object.Object["aggregationRule"]; aggregated {
		owned = append(owned, fieldPath{"rules"})
	}
	for _, config := range configs {
		rules, _, _ := unstructured.NestedSlice(config.Object, "rebaseRules")
		for _, entry := range rules {
			rule, _ := entry.(map[string]any)
			matchers, _ := rule["resourceMatchers"].([]any)
			if sources, _ := rule["sources"].([]any); len(sources) == 0 || sources[0] != "existing" || !matchesAny(matchers, object) {
				continue
			}
			paths, _ := rule["paths"].([]any)
			for _, path := range append(paths, rule["path"]) {
				if keys := kappPath(path); len(keys) > 0 {
					owned = append(owned, keys)
				}
			}
		}
	}
	return owned
}

// matchesAny understands the matchers that the packages use; another one
// matches nothing, so that its fields are compared.
func matchesAny(matchers []any, object *unstructured.Unstructured) bool {
	return slices.ContainsFunc(matchers, func(entry any) bool {
		matcher, _ := entry.(map[string]any)
		if named, ok := matcher["kindNamespaceNameMatcher"].(map[string]any); ok {
			return named["kind"] == object.GetKind() && named["name"] == object.GetName() && fmt.Sprint(named["namespace"]) == object.GetNamespace()
		}
		if kinds, ok := matcher["apiVersionKindMatcher"].(map[string]any); ok {
			return kinds["kind"] == object.GetKind() && kinds["apiVersion"] == object.GetAPIVersion()
		}
		return false
	})
}

func kappPath(path any) fieldPath {
	steps, _ := path.([]any)
	var keys fieldPath
	for _, step := range steps {
		if key, ok := step.(string); ok {
			keys = append(keys, key)
		} else {
			keys = append(keys, "*")
		}
	}
	return keys
}

// compareObject tells where a live object is not what was rendered.
func compareObject(want, have *unstructured.Unstructured, owned []fieldPath) []string {
	rendered := want.DeepCopy()
	delete(rendered.Object, "status")
	unstructured.RemoveNestedField(rendered.Object, "metadata", "creationTimestamp") // tools print null for it; it is the API server's
	encodeStringData(rendered.Object)
	comparison := comparison{owned: owned, secret: want.GetKind() == "Secret"}
	comparison.value(nil, asJSON(rendered.Object), asJSON(have.Object))
	return comparison.differences
}

// encodeStringData does what the API server does with a Secret's.
func encodeStringData(object map[string]any) {
	texts, _ := object["stringData"].(map[string]any)
	if len(texts) == 0 {
		return
	}
	data, _ := object["data"].(map[string]any)
	merged := maps.Clone(data)
	if merged == nil {
		merged = map[string]any{}
	}
	for key, text := range texts {
		merged[key] = base64.StdEncoding.EncodeToString([]byte(fmt.Sprint(text)))
	}
	delete(object, "stringData")
	object["data"] = merged
}

// asJSON makes all numbers of one type.
func asJSON(object map[string]any) (value any) {
	text, err := json.Marshal(object)
	if err == nil {
		err = json.Unmarshal(text, &value)
	}
	if err != nil {
		panic(err) // it was JSON before
	}
	return value
}

type comparison struct {
	owned       []fieldPath
	secret      bool // what data holds is not to be printed
	differences []string
}

func (c *comparison) value(at fieldPath, want, have any) {
	if slices.ContainsFunc(c.owned, at.below) || isEmpty(want) && isEmpty(have) {
		return
	}
	switch want := want.(type) {
	case map[string]any:
		if have, ok := have.(map[string]any); ok {
			for _, key := range slices.Sorted(maps.Keys(want)) {
				c.value(append(slices.Clone(at), key), want[key], have[key])
			}
			return
		}
	case []any:
		if have, ok := have.([]any); ok && len(want) == len(have) {
			for i := range want {
				c.value(append(slices.Clone(at), strconv.Itoa(i)), want[i], have[i])
			}
			return
		}
	case string:
		if want == have || sameQuantity(want, have) {
			return
		}
	default:
		if want == have || sameQuantity(fmt.Sprint(want), have) {
			return
		}
	}
	if c.secret && at.below(fieldPath{"data"}) {
		c.differences = append(c.differences, fmt.Sprintf("%s is not as rendered", at))
		return
	}
	c.differences = append(c.differences, fmt.Sprintf("%s is %v, rendered as %v", at, have, want))
}

// isEmpty is true of what the API server may leave out.
func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case map[string]any:
		for _, below := range value {
			if !isEmpty(below) {
				return false
			}
		}
		return true
	case []any:
		return len(value) == 0
	}
	return value == "" || value == false || value == float64(0)
}

// sameQuantity is true of 1000m and 1: the API server prints quantities in one way.
func sameQuantity(want string, have any) bool {
	text, ok := have.(string)
	if !ok {
		return false
	}
	a, err := resource.ParseQuantity(want)
	if err != nil {
		return false
	}
	b, err := resource.ParseQuantity(text)
	return err == nil && a.Cmp(b) == 0
}

// TestCompareSeesDifferences keeps differing from being blind.
func TestCompareSeesDifferences(t *testing.T) {
	const want = `apiVersion: apps/v1
kind: Deployment
metadata: {name: boat, namespace: port, labels: {app: boat}}
spec:
  replicas: 2
  paused: false
  template:
    spec:
      containers:
      - {name: hull, image: a, resources: {requests: {cpu: 1000m}}}`
	for name, test := range map[string]struct{ from, to, says string }{
		"the same":         {"", "", ""},
		"another quantity": {"cpu: 1000m", `cpu: "1"`, ""},
		"a default":        {"name: hull,", "name: hull, imagePullPolicy: Always,", ""},
		"left out":         {"  paused: false\n", "", ""},
		"a value":          {"image: a", "image: b", "spec.template.spec.containers.0.image is b, rendered as a"},
		"a label":          {"{app: boat}", "{other: boat}", "metadata.labels.app is <nil>, rendered as boat"},
		"true for false":   {"paused: false", "paused: true", "spec.paused is true, rendered as false"},
		"one item more":    {"      - {", "      - {name: sail}\n      - {", "spec.template.spec.containers is "},
		"a quantity":       {"cpu: 1000m", "cpu: 100m", "requests.cpu is 100m, rendered as 1000m"},
		"owned by others":  {"replicas: 2", "replicas: 5", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var rendered, live unstructured.Unstructured
			require.NoError(t, yaml.Unmarshal([]byte(want), &rendered.Object))
			require.NoError(t, yaml.Unmarshal([]byte(strings.Replace(want, test.from, test.to, 1)), &live.Object))
			got := strings.Join(compareObject(&rendered, &live, []fieldPath{{"spec", "replicas"}}), "\n")
			if test.says == "" {
				require.Empty(t, got)
			} else {
				require.Contains(t, got, test.says)
			}
		})
	}
}

func TestCompareKeepsSecrets(t *testing.T) {
	var rendered, live unstructured.Unstructured
	require.NoError(t, yaml.Unmarshal([]byte("kind: Secret\ntype: Opaque\nstringData: {key: one}"), &rendered.Object))
	require.NoError(t, yaml.Unmarshal([]byte("kind: Secret\ntype: Other\ndata: {key: dHdv}"), &live.Object))
	require.Equal(t, []string{"data.key is not as rendered", "type is Other, rendered as Opaque"}, compareObject(&rendered, &live, nil))
}

func TestOwnedByOthers(t *testing.T) {
	const config = `apiVersion: kapp.k14s.io/v1alpha1
kind: Config
rebaseRules:
- path: [spec, replicas]
  type: copy
  sources: [existing, new]
  resourceMatchers:
  - kindNamespaceNameMatcher: {kind: Deployment, namespace: port, name: boat}
- paths: [[webhooks, {allIndexes: true}, rules]]
  type: copy
  sources: [new, existing]
  resourceMatchers:
  - kindNamespaceNameMatcher: {kind: Deployment, namespace: port, name: boat}`
	var rules, boat unstructured.Unstructured
	require.NoError(t, yaml.Unmarshal([]byte(config), &rules.Object))
	require.NoError(t, yaml.Unmarshal([]byte("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: boat, namespace: port}"), &boat.Object))
	configs := []*unstructured.Unstructured{&rules}
	require.Equal(t, append(slices.Clone(byKappItself), fieldPath{"spec", "replicas"}), ownedByOthers(configs, &boat))
	boat.SetName("ship")
	require.Equal(t, byKappItself, ownedByOthers(configs, &boat))
}
