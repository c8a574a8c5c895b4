package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

const eventingNamespace = "knative-eventing"

var (
	brokerKind          = kind("eventing.knative.dev", "v1", "Broker")
	triggerKind         = kind("eventing.knative.dev", "v1", "Trigger")
	pingSourceKind      = kind("sources.knative.dev", "v1", "PingSource")
	apiServerSourceKind = kind("sources.knative.dev", "v1", "ApiServerSource")
)

// knativeDelivers sends events to a broker on channels in memory, by hand and
// from two sources: each trigger's sink has those that the trigger asks for
// and no others, has them again after it refused them, and a dead letter sink
// has what nobody took. An event starts a Job, a bound program sends without
// knowing where, and a request has its reply.
func knativeDelivers(t *testing.T, c *cluster) {
	d := &delivered{t: t, cluster: c, namespace: c.namespace(t, "events")}
	c.apply(t, c.renderApp(t, "events", map[string]any{"namespace": d.namespace}))
	c.waitReady(t, d.namespace, "events")
	c.apply(t, strings.ReplaceAll(routesOfEvents, "NAMESPACE", d.namespace))
	d.waitReady(brokerKind, "default")
	d.waitTriggers("wanted", "flaky", "broken", "ping", "api")

	for name, part := range map[string]func(*delivered){
		"a trigger has what it asks for":         (*delivered).requireFiltered,
		"what is refused comes again":            (*delivered).requireRetried,
		"what nobody takes is a dead letter":     (*delivered).requireDeadLetter,
		"a schedule sends":                       (*delivered).requireSchedule,
		"the API server's changes are sent":      (*delivered).requireChanges,
		"an event starts a Job":                  (*delivered).requireJobs,
		"a bound program sends":                  (*delivered).requireBound,
		"a request has its reply":                (*delivered).requireReply,
		"what the package cannot do, it refuses": (*delivered).requireRefused,
	} {
		t.Run(name, func(t *testing.T) { part(&delivered{t: t, cluster: c, namespace: d.namespace}) })
	}
}

// delivered is a broker called default, and what its triggers' sink was sent.
type delivered struct {
	t         *testing.T
	cluster   *cluster
	namespace string
}

// routesOfEvents are a broker and triggers by the type of events. The paths of
// their sinks are those of the program events.
const routesOfEvents = `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata: {name: default, namespace: NAMESPACE}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: wanted, namespace: NAMESPACE}
spec:
  broker: default
  filter: {attributes: {type: test.wanted, color: blue}}
  subscriber: {ref: {apiVersion: v1, kind: Service, name: events}, uri: /wanted}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: flaky, namespace: NAMESPACE}
spec:
  broker: default
  filter: {attributes: {type: test.flaky}}
  subscriber: {ref: {apiVersion: v1, kind: Service, name: events}, uri: /flaky}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: broken, namespace: NAMESPACE}
spec:
  broker: default
  filter: {attributes: {type: test.broken}}
  subscriber: {ref: {apiVersion: v1, kind: Service, name: events}, uri: /broken}
  delivery:
    retry: 2
    backoffPolicy: linear
    backoffDelay: PT0.1S
    deadLetterSink: {ref: {apiVersion: v1, kind: Service, name: events}, uri: /dead}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: ping, namespace: NAMESPACE}
spec:
  broker: default
  filter: {attributes: {type: dev.knative.sources.ping}}
  subscriber: {ref: {apiVersion: v1, kind: Service, name: events}, uri: /ping}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: api, namespace: NAMESPACE}
spec:
  broker: default
  filter: {attributes: {type: dev.knative.apiserver.resource.add, name: marked}}
  subscriber: {ref: {apiVersion: v1, kind: Service, name: events}, uri: /api}`

// lastTrigger is LAST, and asks for events of the type test.LAST.
const lastTrigger = `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: LAST, namespace: NAMESPACE}
spec:
  broker: default
  filter: {attributes: {type: test.LAST}}
  subscriber: {ref: {apiVersion: v1, kind: Service, name: events}, uri: /LAST}`

// clock sends to that broker every two seconds.
const clock = `apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: clock, namespace: NAMESPACE}
spec:
  schedule: "*/2 * * * * *"
  contentType: application/json
  data: '{"tick": true}'
  sink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}`

// watcher sends to that broker what becomes of ConfigMaps.
const watcher = `apiVersion: v1
kind: ServiceAccount
metadata: {name: watcher, namespace: NAMESPACE}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: watcher, namespace: NAMESPACE}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: watcher, namespace: NAMESPACE}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: watcher}
subjects: [{kind: ServiceAccount, name: watcher, namespace: NAMESPACE}]
---
apiVersion: sources.knative.dev/v1
kind: ApiServerSource
metadata: {name: watcher, namespace: NAMESPACE}
spec:
  serviceAccountName: watcher
  mode: Resource
  resources: [{apiVersion: v1, kind: ConfigMap}]
  sink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}`

// requireFiltered sends events that differ in one attribute from those that are
// asked for, and waits for the last of those that are.
func (d *delivered) requireFiltered() {
	d.t.Helper()
	d.send("1", "test.wanted", "blue")
	d.send("2", "test.wanted", "red")
	d.send("3", "test.other", "blue")
	d.send("4", "test.wanted", "blue")
	d.wait("/wanted", 2)
	time.Sleep(2 * time.Second) // for what should not come
	for _, event := range d.at("/wanted") {
		require.Contains(d.t, []string{"1", "4"}, event.Attributes["id"], "an event that nobody asked for: %v", event)
		require.JSONEq(d.t, `{"number": "`+event.Attributes["id"]+`"}`, event.Data)
	}
	require.Len(d.t, d.at("/wanted"), 2)
}

func (d *delivered) requireRetried() {
	d.t.Helper()
	d.send("5", "test.flaky", "blue")
	events := d.wait("/flaky", 2)
	require.Equal(d.t, []int{503, 202}, []int{events[0].Status, events[1].Status})
	require.Equal(d.t, "5", events[1].Attributes["id"])
}

func (d *delivered) requireDeadLetter() {
	d.t.Helper()
	d.send("6", "test.broken", "blue")
	dead := d.wait("/dead", 1)
	require.Equal(d.t, "6", dead[0].Attributes["id"])
	require.Equal(d.t, "503", dead[0].Attributes["knativeerrorcode"])
	require.Len(d.t, d.at("/broken"), 3, "one try and two more")
}

// requireSchedule has events of a schedule. While there is a PingSource, the
// controller owns its adapter: a reconcile must not fight it.
func (d *delivered) requireSchedule() {
	d.t.Helper()
	d.cluster.apply(d.t, strings.ReplaceAll(clock, "NAMESPACE", d.namespace))
	d.waitReady(pingSourceKind, "clock")
	require.JSONEq(d.t, `{"tick": true}`, d.wait("/ping", 2)[0].Data)
	require.NotNil(d.t, d.cluster.get(d.t, kind("sources.knative.dev", "v1beta2", "PingSource"), d.namespace, "clock"), "the webhook converts")

	d.cluster.requireSteady(d.t, "knative-eventing")
	d.wait("/ping", len(d.at("/ping"))+2)
}

// requireChanges has the event of a ConfigMap that is made.
func (d *delivered) requireChanges() {
	d.t.Helper()
	d.cluster.apply(d.t, strings.ReplaceAll(watcher, "NAMESPACE", d.namespace))
	d.waitReady(apiServerSourceKind, "watcher")
	d.requireAdapterImage()
	d.cluster.apply(d.t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: marked, namespace: "+d.namespace+"}")
	require.Contains(d.t, d.wait("/api", 1)[0].Data, `"name":"marked"`)
}

// requireAdapterImage sees that the controller starts the package's own image:
// by digest, from the registry that the package came from.
func (d *delivered) requireAdapterImage() {
	d.t.Helper()
	pods, err := d.cluster.typed.CoreV1().Pods(d.namespace).List(d.t.Context(), metav1.ListOptions{LabelSelector: "eventing.knative.dev/source=apiserver-source-controller"})
	require.NoError(d.t, err)
	require.NotEmpty(d.t, pods.Items)
	require.Regexp(d.t, "^"+d.cluster.registry.RegistryCluster+"/.+@sha256:[0-9a-f]{64}$", pods.Items[0].Spec.Containers[0].Image)
}

// requireRefused asks for what needs images that the package does not have. An
// EventTransform would end the controller.
func (d *delivered) requireRefused() {
	d.t.Helper()
	for image, object := range map[string]string{
		"transform-jsonata": "apiVersion: eventing.knative.dev/v1alpha1\nkind: EventTransform\nspec: {jsonata: {expression: '{\"a\": 1}'}}",
		"timer-source":      "apiVersion: sources.knative.dev/v1alpha1\nkind: IntegrationSource\nspec: {timer: {period: 1000, message: hello}, sink: {uri: \"http://events\"}}",
		"log-sink":          "apiVersion: sinks.knative.dev/v1alpha1\nkind: IntegrationSink\nspec: {log: {level: INFO}}",
	} {
		err := d.cluster.tryApply(d.t.Context(), object+"\nmetadata: {name: refused, namespace: "+d.namespace+"}")
		require.ErrorContains(d.t, err, image+", which is not part of this package")
	}
}

// send gives an event to the broker's ingress, as a program of the cluster would.
func (d *delivered) send(id, kind, color string) {
	d.t.Helper()
	request := d.cluster.typed.CoreV1().RESTClient().Post().Namespace(eventingNamespace).
		Resource("services").Name("broker-ingress:80").SubResource("proxy").Suffix(d.namespace, "default").
		SetHeader("Ce-Specversion", "1.0").SetHeader("Ce-Id", id).SetHeader("Ce-Source", "/test").
		SetHeader("Ce-Type", kind).SetHeader("Ce-Color", color).
		SetHeader("Content-Type", "application/json").Body([]byte(`{"number": "` + id + `"}`))
	require.NoError(d.t, request.Do(d.t.Context()).Error(), "sending the event %s", id)
}

// event is one delivery, as the program events tells it.
type event struct {
	Path       string            `json:"path"`
	Status     int               `json:"status"`
	Attributes map[string]string `json:"attributes"`
	Data       string            `json:"data"`
}

// at are the deliveries to one path.
func (d *delivered) at(path string) (events []event) {
	d.t.Helper()
	answer, err := d.cluster.ask(d.t, d.namespace, "events", "GET", "/events", nil)
	require.NoError(d.t, err)
	var all []event
	require.NoError(d.t, json.Unmarshal([]byte(answer), &all))
	for _, one := range all {
		if one.Path == path {
			events = append(events, one)
		}
	}
	return events
}

func (d *delivered) wait(path string, count int) (events []event) {
	d.t.Helper()
	eventually(d.t, 2*time.Minute, fmt.Sprintf("%d deliveries to %s", count, path), func() (bool, string) {
		events = d.at(path)
		return len(events) >= count, fmt.Sprint(events)
	})
	return events
}

// waitTriggers waits until the broker delivers to triggers. That one is ready says that
// its channel was told of it, and not that the dispatcher, in whose memory the channel
// is, has heard of it (https://github.com/knative/eventing/pull/2403). So one more
// trigger follows them, and events are sent until it has one.
func (d *delivered) waitTriggers(names ...string) {
	d.t.Helper()
	for _, name := range names {
		d.waitReady(triggerKind, name)
	}
	last := "after-" + names[len(names)-1]
	d.apply(strings.ReplaceAll(lastTrigger, "LAST", last))
	d.waitReady(triggerKind, last)
	eventually(d.t, time.Minute, "an event comes by the trigger "+last, func() (bool, string) {
		d.send(last, "test."+last, "blue")
		return len(d.at("/"+last)) > 0, "none"
	})
}

func (d *delivered) waitReady(gvk schema.GroupVersionKind, name string) {
	d.t.Helper()
	eventually(d.t, 2*time.Minute, gvk.Kind+" "+name+" is ready", func() (bool, string) {
		object := d.cluster.get(d.t, gvk, d.namespace, name)
		observed, _, _ := unstructured.NestedInt64(object.Object, "status", "observedGeneration")
		return observed == object.GetGeneration() && condition(object, "Ready") == "True", fmt.Sprint(object.Object["status"])
	})
}
