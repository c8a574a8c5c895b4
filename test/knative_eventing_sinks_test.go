package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var (
	jobSinkKind      = kind("sinks.knative.dev", "v1alpha1", "JobSink")
	sinkBindingKind  = kind("sources.knative.dev", "v1", "SinkBinding")
	requestReplyKind = kind("eventing.knative.dev", "v1alpha1", "RequestReply")
)

// jobs runs the program events for each event of a type, which sends on what it
// was started for.
const jobs = `apiVersion: sinks.knative.dev/v1alpha1
kind: JobSink
metadata: {name: jobs, namespace: NAMESPACE}
spec:
  job:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: events
            image: IMAGE
            args: [job, "http://events.NAMESPACE.svc/job"]
            resources: {requests: {cpu: 1m, memory: 8Mi}, limits: {memory: 64Mi}}
            securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: jobs, namespace: NAMESPACE}
spec:
  broker: default
  filter: {attributes: {type: test.job}}
  subscriber: {ref: {apiVersion: sinks.knative.dev/v1alpha1, kind: JobSink, name: jobs}}`

// bound binds a program, which knows no address, to the broker.
const bound = `apiVersion: sources.knative.dev/v1
kind: SinkBinding
metadata: {name: bound, namespace: NAMESPACE}
spec:
  subject: {apiVersion: apps/v1, kind: Deployment, name: bound}
  sink: {ref: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}}
  ceOverrides: {extensions: {color: green}}
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: bound, namespace: NAMESPACE}
spec:
  broker: default
  filter: {attributes: {type: test.bound, color: green}}
  subscriber: {ref: {apiVersion: v1, kind: Service, name: events}, uri: /bound}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bound, namespace: NAMESPACE}
spec:
  selector: {matchLabels: {app: bound}}
  template:
    metadata: {labels: {app: bound}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: events
        image: IMAGE
        args: [source]
        resources: {requests: {cpu: 1m, memory: 8Mi}, limits: {memory: 64Mi}}
        securityContext: {runAsNonRoot: true, allowPrivilegeEscalation: false}`

// asker sends questions to the broker, where the program events answers them.
const asker = `apiVersion: eventing.knative.dev/v1alpha1
kind: RequestReply
metadata: {name: asker, namespace: NAMESPACE}
spec:
  brokerRef: {apiVersion: eventing.knative.dev/v1, kind: Broker, name: default}
  timeout: PT30S
---
apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: {name: answers, namespace: NAMESPACE}
spec:
  broker: default
  filter: {attributes: {type: test.question}}
  subscriber: {ref: {apiVersion: v1, kind: Service, name: events}, uri: /answer}`

func (d *delivered) apply(documents string) {
	d.t.Helper()
	image := d.cluster.appImage(d.t, "events")
	d.cluster.apply(d.t, strings.NewReplacer("NAMESPACE", d.namespace, "IMAGE", image).Replace(documents))
}

// requireJobs sends two events, and one of them again: each starts one Job,
// which finds its event.
func (d *delivered) requireJobs() {
	d.t.Helper()
	d.apply(jobs)
	d.waitReady(jobSinkKind, "jobs")
	d.waitTriggers("jobs")
	for _, id := range []string{"job-1", "job-2", "job-1"} {
		d.send(id, "test.job", "blue")
	}
	started := map[string]string{}
	for _, relayed := range d.wait("/job", 2) {
		var event struct {
			ID, Type, Color string
			Data            map[string]string
		}
		require.NoError(d.t, json.Unmarshal([]byte(relayed.Data), &event), relayed.Data)
		require.Equal(d.t, []string{"test.job", "blue"}, []string{event.Type, event.Color})
		started[event.ID] = event.Data["number"]
	}
	require.Equal(d.t, map[string]string{"job-1": "job-1", "job-2": "job-2"}, started)

	eventually(d.t, time.Minute, "both Jobs have ended well", func() (bool, string) {
		list, err := d.cluster.typed.BatchV1().Jobs(d.namespace).List(d.t.Context(), metav1.ListOptions{LabelSelector: "sinks.knative.dev/job-sink-name=jobs"})
		require.NoError(d.t, err)
		require.Len(d.t, list.Items, 2, "one for each event")
		return list.Items[0].Status.Succeeded == 1 && list.Items[1].Status.Succeeded == 1, fmt.Sprint(list.Items[0].Status, list.Items[1].Status)
	})
}

// requireBound has a program that is told by a SinkBinding where to send its
// events, and what more to say in each.
func (d *delivered) requireBound() {
	d.t.Helper()
	d.apply(bound)
	d.waitReady(sinkBindingKind, "bound")
	d.waitReady(triggerKind, "bound")
	event := d.wait("/bound", 1)[0]
	require.Equal(d.t, "/events", event.Attributes["source"])
	require.Equal(d.t, "green", event.Attributes["color"])
}

// requireReply asks by a RequestReply, and asks again when kapp has reconciled:
// the key by which a reply is known stands in a Secret of the package.
func (d *delivered) requireReply() {
	d.t.Helper()
	d.apply(asker)
	d.waitReady(requestReplyKind, "asker")
	d.waitReady(triggerKind, "answers")

	asked := 0
	eventually(d.t, 3*time.Minute, "the kubelet brings the key to the pod, and a question has its reply", func() (bool, string) {
		asked++
		answer, err := d.ask(asked)
		return err == nil && answer != "", fmt.Sprint(answer, err)
	})
	d.cluster.kick(d.t, installNamespace, "knative-eventing")
	for range 2 {
		asked++
		answer, err := d.ask(asked)
		require.NoError(d.t, err)
		require.JSONEq(d.t, fmt.Sprintf(`{"answers": {"question": %d}}`, asked), answer)
	}
}

// ask is what the caller of a RequestReply gets: the data of the reply, or
// nothing when it has waited for too long.
func (d *delivered) ask(number int) (answer string, err error) {
	d.t.Helper()
	data, err := d.cluster.typed.CoreV1().RESTClient().Post().Namespace(eventingNamespace).
		Resource("services").Name("request-reply:80").SubResource("proxy").Suffix(d.namespace, "asker").
		SetHeader("Ce-Specversion", "1.0").SetHeader("Ce-Id", fmt.Sprint("question-", number)).SetHeader("Ce-Source", "/test").
		SetHeader("Ce-Type", "test.question").SetHeader("Content-Type", "application/json").
		Body(fmt.Appendf(nil, `{"question": %d}`, number)).DoRaw(d.t.Context())
	return string(data), err
}
