package lint

import (
	"fmt"
	"slices"

	kappconfig "carvel.dev/kapp/pkg/kapp/config"
	kappgraph "carvel.dev/kapp/pkg/kapp/diffgraph"
	kapplogger "carvel.dev/kapp/pkg/kapp/logger"
	kappres "carvel.dev/kapp/pkg/kapp/resources"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkOrder refuses an order of kapp's in which the API server is told to call
// a server that is not there:
//
//   - an aggregated API comes after its pods and goes before them. One that does
//     not answer fails discovery for the whole cluster, for kapp itself and for
//     the deletion of namespaces.
//   - a webhook that must answer goes before its pods, or objects that are still
//     to be deleted cannot be changed any more. It may come before them: some
//     controllers write into it what they need to start.
//
// The order is not read from annotations but made, by kapp's own code. When kapp
// deletes, it has its default Config alone.
func checkOrder(s *subject) []Finding { return disorder(s.final) }

func disorder(objects []manifest.Object) []Finding {
	if !slices.ContainsFunc(objects, func(o manifest.Object) bool { return len(serversOf(o, objects)) > 0 }) {
		return nil // making an order takes time
	}
	config, err := kappConfig(objects)
	if err != nil {
		return nil // freeze-rebase tells
	}
	stored, _ := bundle.Split(objects)
	_, defaults, err := kappconfig.NewConfFromResourcesWithDefaults(nil)
	if err != nil {
		return nil
	}
	upserts, err := orderOf(stored, kappgraph.ActualChangeOpUpsert, config)
	if err != nil {
		return []Finding{{Message: "kapp finds no order in which to apply the objects: " + err.Error(), Remedy: "correct the change rules"}}
	}
	deletes, err := orderOf(stored, kappgraph.ActualChangeOpDelete, defaults)
	if err != nil {
		return []Finding{{Message: "kapp finds no order in which to delete the objects: " + err.Error(), Remedy: "correct the change rules"}}
	}
	var findings []Finding
	for _, o := range objects {
		for _, server := range serversOf(o, objects) {
			if isAPIService(o) && !upserts.after(o, server) {
				findings = append(findings, at(o, fmt.Sprintf("kapp may apply it before %s, which serves it", server.ID()),
					`say "upsert after upserting" by the annotation kapp.k14s.io/change-rule`))
			}
			if !deletes.after(server, o) {
				findings = append(findings, at(o, fmt.Sprintf("kapp may delete %s, which serves it, before it", server.ID()),
					`say "delete before deleting" by the annotation kapp.k14s.io/change-rule`))
			}
		}
	}
	return findings
}

// serversOf are the Services and workloads of the package that the API server
// calls because of an aggregated API or a webhook that must answer.
func serversOf(o manifest.Object, all []manifest.Object) []manifest.Object {
	if !isAPIService(o) && !mustAnswer(o) {
		return nil
	}
	var servers []manifest.Object
	for _, called := range services(o) {
		i := slices.IndexFunc(all, called.is)
		if i < 0 {
			continue // missing-reference tells
		}
		for _, server := range append([]manifest.Object{all[i]}, podsOf(all[i], all)...) {
			if !slices.ContainsFunc(servers, func(o manifest.Object) bool { return o.ID() == server.ID() }) {
				servers = append(servers, server)
			}
		}
	}
	return servers
}

// mustAnswer tells whether a webhook refuses objects while nobody serves it.
func mustAnswer(o manifest.Object) bool {
	return isWebhooks(o) && slices.ContainsFunc(webhooksOf(o.Object), func(item any) bool {
		hook, _ := item.(map[string]any)
		return hook["failurePolicy"] != "Ignore"
	})
}

// podsOf are the workloads whose pods a Service selects.
func podsOf(service manifest.Object, all []manifest.Object) []manifest.Object {
	selector, _, _ := unstructured.NestedStringMap(service.Object, "spec", "selector")
	if len(selector) == 0 {
		return nil
	}
	var workloads []manifest.Object
	for _, o := range all {
		pod, found, _ := unstructured.NestedStringMap(o.Object, "spec", "template", "metadata", "labels")
		if found && o.GetNamespace() == service.GetNamespace() && labels.SelectorFromSet(selector).Matches(labels.Set(pod)) {
			workloads = append(workloads, o)
		}
	}
	return workloads
}

// order is what kapp waits for before it changes each object.
type order struct{ changes map[string]*kappgraph.Change }

func orderOf(objects []manifest.Object, op kappgraph.ActualChangeOp, config kappconfig.Conf) (order, error) {
	var changes []kappgraph.ActualChange
	for _, o := range objects {
		if isCRD(o) { // kapp encodes them again and again, to read group and kind
			o.Unstructured = o.DeepCopy()
			unstructured.RemoveNestedField(o.Object, "spec", "versions")
		}
		changes = append(changes, change{asResource(o), op})
	}
	graph, err := kappgraph.NewChangeGraph(changes, config.ChangeGroupBindings(), config.ChangeRuleBindings(), kapplogger.NewNoopLogger())
	if err != nil {
		return order{}, err
	}
	known := order{map[string]*kappgraph.Change{}}
	for _, c := range graph.All() {
		known.changes[c.Change.Resource().Description()] = c
	}
	return known, nil
}

// after tells whether an object is changed only when the other one has been.
func (o order) after(object, other manifest.Object) bool {
	later, earlier := o.changes[asResource(object).Description()], o.changes[asResource(other).Description()]
	return later != nil && earlier != nil && later.IsTransitivelyWaitingFor(earlier)
}

type change struct {
	resource kappres.Resource
	op       kappgraph.ActualChangeOp
}

func (c change) Resource() kappres.Resource   { return c.resource }
func (c change) Op() kappgraph.ActualChangeOp { return c.op }
