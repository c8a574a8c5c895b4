package lint

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkUndone refuses a package whose update takes back what the cluster wrote
// into its objects. kapp sends an object as the package says it, so a field that
// a controller fills is emptied by the next update of anything else in it, unless
// a rebase rule keeps it:
//
//   - the data of a Secret or ConfigMap that ships without any: certificates are
//     made anew, and whoever trusts the old ones is cut off;
//   - the rules of a webhook that ships without any: until its controller
//     notices, nothing is checked;
//   - the replicas of a workload that a HorizontalPodAutoscaler scales: all pods
//     but one go, under load.
//
// What an update makes is not read from the rules but made, by kapp's own code.
func checkUndone(s *subject) []Finding { return undone(s.final) }

func undone(objects []manifest.Object) []Finding {
	config, err := kappConfig(objects)
	if err != nil {
		return nil // freeze-rebase tells
	}
	var findings []Finding
	for _, o := range objects {
		for _, w := range writes(o, objects) {
			held := o.DeepCopy()
			w.write(held.Object)
			made, err := update(config, asResource(manifest.Object{Unstructured: held}), asResource(o))
			if err != nil {
				continue // freeze-rebase tells
			}
			if !reflect.DeepEqual(w.read(held.Object), w.read(made.DeepCopyRaw())) {
				findings = append(findings, at(o, fmt.Sprintf("an update takes back %s, which %s", w.what, w.who),
					"keep it by a rebaseRule with sources [existing] in config/kapp.yml"))
			}
		}
	}
	return findings
}

// written is a part of an object that the cluster writes.
type written struct {
	what, who string
	write     func(object map[string]any)
	read      func(object map[string]any) any
}

func writes(o manifest.Object, all []manifest.Object) []written {
	switch {
	case holdsData(o) && !shipsData(o):
		return []written{dataAtRunTime()}
	case isWebhooks(o):
		return rulesAtRunTime(o)
	}
	if scaler := scalerOf(o, all); scaler != "" {
		return []written{replicasOf(scaler)}
	}
	return nil
}

// shipsData tells whether a field for data is there at all: one that is empty,
// as in a ConfigMap of settings that are all at their defaults, is meant to be.
func shipsData(o manifest.Object) bool {
	for _, field := range []string{"binaryData", "data", "stringData"} {
		if _, found := o.Object[field]; found {
			return true
		}
	}
	return false
}

func dataAtRunTime() written {
	return written{
		what: "its data", who: "a controller fills, since it ships without any",
		write: func(object map[string]any) { object["data"] = map[string]any{"filled": "eWVz"} },
		read:  func(object map[string]any) any { return object["data"] },
	}
}

func isWebhooks(o manifest.Object) bool {
	return o.GroupVersionKind().Group == "admissionregistration.k8s.io" && webhooksOf(o.Object) != nil
}

func webhooksOf(object map[string]any) []any {
	list, _ := object["webhooks"].([]any)
	return list
}

func rulesAtRunTime(o manifest.Object) []written {
	var list []written
	for i, item := range webhooksOf(o.Object) {
		hook, _ := item.(map[string]any)
		if rules, _ := hook["rules"].([]any); hook == nil || len(rules) > 0 {
			continue
		}
		at := func(object map[string]any) map[string]any {
			hook, _ := webhooksOf(object)[i].(map[string]any)
			return hook
		}
		list = append(list, written{
			what: fmt.Sprintf("the rules of the webhook %v", hook["name"]), who: "its controller writes, since it ships without any",
			write: func(object map[string]any) { at(object)["rules"] = []any{map[string]any{"resources": []any{"*"}}} },
			read:  func(object map[string]any) any { return at(object)["rules"] },
		})
	}
	return list
}

// scalerOf names the HorizontalPodAutoscaler of a workload, or nothing.
func scalerOf(o manifest.Object, all []manifest.Object) string {
	for _, scaler := range all {
		if scaler.GetKind() != "HorizontalPodAutoscaler" || scaler.GetNamespace() != o.GetNamespace() {
			continue
		}
		kind, _, _ := unstructured.NestedString(scaler.Object, "spec", "scaleTargetRef", "kind")
		name, _, _ := unstructured.NestedString(scaler.Object, "spec", "scaleTargetRef", "name")
		if kind == o.GetKind() && name == o.GetName() {
			return scaler.GetName()
		}
	}
	return ""
}

func replicasOf(scaler string) written {
	const scaled = int64(7919) // nobody ships so many
	return written{
		what: "its replicas", who: "the HorizontalPodAutoscaler " + scaler + " sets",
		write: func(object map[string]any) { _ = unstructured.SetNestedField(object, scaled, "spec", "replicas") },
		read: func(object map[string]any) any {
			value, _, _ := unstructured.NestedFieldNoCopy(object, "spec", "replicas")
			return value
		},
	}
}
