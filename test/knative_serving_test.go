package test

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var knativeServiceKind = kind("serving.knative.dev", "v1", "Service")

// knativeServes runs a program as a Knative Service behind Traefik: it answers
// over its URL, goes to zero, comes back on a request, shares its traffic
// between two revisions, and has more pods under load. Services answer as soon as they
// are ready, and the ingress class can change.
func knativeServes(t *testing.T, c *cluster) {
	c.install(t, "traefik")
	s := &served{t: t, cluster: c, namespace: c.namespace(t, "served"), entrance: "http://" + c.entrance(t, "web")}

	s.apply(knativeService{target: "first"})
	s.waitReady()
	s.requireAnswer("first")
	s.requireQueueProxy()

	s.waitNone()
	begin := time.Now()
	s.requireAnswer("first")
	t.Logf("from zero to an answer in %s", time.Since(begin).Round(time.Millisecond))
	require.NotEmpty(t, s.pods(), "an answer came from no pod")

	s.apply(knativeService{target: "second", traffic: []share{{revision: "hello-00001", percent: 90}, {revision: "hello-00002", percent: 10}}})
	s.waitReady()
	s.requireShares("first", "second", 0.1)

	s.apply(knativeService{target: "third", concurrency: 2, most: 3})
	s.waitReady()
	s.requireAnswer("third")
	s.requireScaleOut(3)
	s.waitPods(0)

	s.requireReadyIsRoutable(6, 3)
	s.requireClassChanges()

	t.Run("conformance", func(t *testing.T) { knativeConforms(t, c) })
}

// served is a Knative Service called hello, and how this machine asks it.
type served struct {
	t         *testing.T
	cluster   *cluster
	namespace string
	entrance  string // URL of the ingress
}

// knativeService is what a test says of a Service: whom it greets, who gets
// which part of the traffic (all to the newest without it), how many requests
// a pod should work on at once, and how many pods there may be.
type knativeService struct {
	target      string
	traffic     []share
	concurrency int
	most        int
}

type share struct {
	revision string
	percent  int
}

func (s *served) apply(k knativeService) {
	s.t.Helper()
	var traffic strings.Builder
	for _, one := range k.traffic {
		fmt.Fprintf(&traffic, "\n  - {revisionName: %s, percent: %d}", one.revision, one.percent)
	}
	if len(k.traffic) == 0 {
		traffic.WriteString("\n  - {latestRevision: true, percent: 100}")
	}
	s.cluster.apply(s.t, fmt.Sprintf(`apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello, namespace: %s}
spec:
  traffic:%s
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/target: %q
        autoscaling.knative.dev/target-utilization-percentage: "100"
        autoscaling.knative.dev/max-scale: %q
    %s`,
		s.namespace, traffic.String(), strconv.Itoa(cmp.Or(k.concurrency, 100)), strconv.Itoa(k.most), greeterSpec(s.cluster.appImage(s.t, "hello"), k.target)))
}

// greeterSpec is the spec of a revision whose program greets a target, within the
// template of a Service.
func greeterSpec(image, target string) string {
	return fmt.Sprintf(`spec:
      containers:
      - name: hello
        image: %s
        env: [{name: TARGET, value: %s}]
        resources: {requests: {cpu: 1m, memory: 8Mi}}
        securityContext:
          allowPrivilegeEscalation: false
          runAsNonRoot: true
          capabilities: {drop: [ALL]}
          seccompProfile: {type: RuntimeDefault}`, image, target)
}

func (s *served) waitReady() {
	s.t.Helper()
	eventually(s.t, 3*time.Minute, "the Knative Service is ready", func() (bool, string) {
		service := s.cluster.get(s.t, knativeServiceKind, s.namespace, "hello")
		observed, _, _ := unstructured.NestedInt64(service.Object, "status", "observedGeneration")
		return observed == service.GetGeneration() && condition(service, "Ready") == "True", fmt.Sprint(service.Object["status"])
	})
}

// host is that of the Service's URL.
func (s *served) host() string {
	s.t.Helper()
	address, _, _ := unstructured.NestedString(s.cluster.get(s.t, knativeServiceKind, s.namespace, "hello").Object, "status", "url")
	parsed, err := url.Parse(address)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, parsed.Host, "the Service has no URL")
	return parsed.Host
}

// requireAnswer asks until the ingress knows the Service.
func (s *served) requireAnswer(target string) {
	s.t.Helper()
	host := s.host()
	eventually(s.t, time.Minute, "the Service greets "+target, func() (bool, string) {
		status, answer, err := ask(s.t.Context(), s.entrance, host)
		if err != nil {
			return false, err.Error()
		}
		return status == http.StatusOK && strings.HasPrefix(answer, "Hello "+target+" from "), fmt.Sprint(status, " ", answer)
	})
}

// requireQueueProxy sees that pods run the queue proxy of the package: by
// digest, from the registry that the package came from.
func (s *served) requireQueueProxy() {
	s.t.Helper()
	pods := s.pods()
	require.NotEmpty(s.t, pods)
	for _, container := range pods[0].Spec.Containers {
		if container.Name == "queue-proxy" {
			require.Regexp(s.t, "^"+s.cluster.registry.RegistryCluster+"/.+@sha256:[0-9a-f]{64}$", container.Image)
			return
		}
	}
	require.Fail(s.t, "the pod has no queue proxy")
}

// pods are the Service's, but for those that are ending.
func (s *served) pods() []corev1.Pod {
	s.t.Helper()
	return slices.DeleteFunc(s.allPods(), func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil })
}

func (s *served) allPods() []corev1.Pod {
	s.t.Helper()
	pods, err := s.cluster.typed.CoreV1().Pods(s.namespace).List(s.t.Context(), metav1.ListOptions{LabelSelector: "serving.knative.dev/service=hello"})
	require.NoError(s.t, err)
	return pods.Items
}

func (s *served) waitPods(want int) {
	s.t.Helper()
	eventually(s.t, 3*time.Minute, fmt.Sprintf("the Service has %d pods", want), func() (bool, string) {
		have := len(s.pods())
		return have == want, strconv.Itoa(have)
	})
}

// waitNone waits for the last pod's end: one that is being stopped may still answer.
func (s *served) waitNone() {
	s.t.Helper()
	eventually(s.t, 4*time.Minute, "the Service has no pod, nor one that is being stopped", func() (bool, string) {
		have := len(s.allPods())
		return have == 0, strconv.Itoa(have)
	})
}

// requireShares asks a thousand times. The newer revision's number of answers
// is binomial; five standard deviations either way are missed by one honest
// split in more than a million.
func (s *served) requireShares(older, newer string, part float64) {
	s.t.Helper()
	const requests = 1000
	host, counts := s.host(), map[string]int{}
	eventually(s.t, time.Minute, "both revisions answer", func() (bool, string) {
		_, answer, err := ask(s.t.Context(), s.entrance, host)
		return err == nil && strings.HasPrefix(answer, "Hello "+newer+" "), fmt.Sprint(answer, err)
	})
	for range requests {
		status, answer, err := ask(s.t.Context(), s.entrance, host)
		require.NoError(s.t, err)
		require.Equal(s.t, http.StatusOK, status, answer)
		greeted, _, _ := strings.Cut(strings.TrimPrefix(answer, "Hello "), " ")
		counts[greeted]++
	}
	s.t.Logf("of %d answers, %d were the newer revision's", requests, counts[newer])
	require.Equal(s.t, requests, counts[older]+counts[newer], "%v", counts)
	require.InDelta(s.t, requests*part, counts[newer], 5*math.Sqrt(requests*part*(1-part)), "%v", counts)
}

// requireScaleOut keeps twice as many slow requests open as a pod should work
// on for each of the wanted pods, until so many different pods have answered.
func (s *served) requireScaleOut(pods int) {
	s.t.Helper()
	host, answered := s.host(), &names{seen: map[string]bool{}}
	stop := make(chan struct{})
	var workers sync.WaitGroup
	for range 4 * pods {
		workers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					answered.add(ask(s.t.Context(), s.entrance+"/?sleep=300ms", host))
				}
			}
		})
	}
	defer func() { close(stop); workers.Wait() }()
	eventually(s.t, 2*time.Minute, fmt.Sprintf("%d pods answer under load", pods), func() (bool, string) {
		count, failed := answered.summary()
		require.Empty(s.t, failed)
		return count == pods, fmt.Sprint(count, " pods")
	})
}

// names are those of the pods that answered, and the answers that were wrong.
type names struct {
	sync.Mutex
	seen   map[string]bool
	failed []string
}

func (n *names) add(status int, answer string, err error) {
	n.Lock()
	defer n.Unlock()
	_, pod, ok := strings.Cut(strings.TrimSpace(answer), " from ")
	if err != nil || status != http.StatusOK || !ok {
		n.failed = append(n.failed, fmt.Sprint(status, " ", answer, err))
		return
	}
	n.seen[pod] = true
}

func (n *names) summary() (count int, failed []string) {
	n.Lock()
	defer n.Unlock()
	return len(n.seen), n.failed
}
