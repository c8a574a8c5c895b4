package test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// arrived is one resource's telemetry of one signal, as it came out of the
// last collector.
type arrived struct {
	// signal is traces, metrics or logs.
	signal     string
	attributes map[string]string
	// text is all of it, as JSON.
	text string
}

// telemetryReceiver is where collectors send in the end: OTLP over HTTP, as
// JSON, on the host's address in the nodes' network.
type telemetryReceiver struct {
	url string

	mu   sync.Mutex
	seen []arrived
	// headers are those of the last request.
	headers http.Header
}

// receiveTelemetry listens until the test ends.
func receiveTelemetry(t *testing.T, c *cluster) *telemetryReceiver {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(hostAddress(t, c), "0"))
	require.NoError(t, err)
	r := &telemetryReceiver{url: "http://" + listener.Addr().String()}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: r}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return r
}

// ServeHTTP takes /v1/traces, /v1/metrics and /v1/logs: each a list of
// resources under one key, with the attributes of each.
func (r *telemetryReceiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var body map[string][]json.RawMessage
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.headers = request.Header
	for _, resources := range body {
		for _, text := range resources {
			r.seen = append(r.seen, arrived{signal: path.Base(request.URL.Path), attributes: attributesOf(text), text: string(text)})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, "{}")
}

func attributesOf(text []byte) map[string]string {
	var content struct {
		Resource struct {
			Attributes []struct {
				Key   string
				Value struct{ StringValue string }
			}
		}
	}
	found := map[string]string{}
	if err := json.Unmarshal(text, &content); err != nil {
		return found
	}
	for _, a := range content.Resource.Attributes {
		found[a.Key] = a.Value.StringValue
	}
	return found
}

// wait waits for telemetry of a signal that has all of the wanted attributes and
// holds a text.
func (r *telemetryReceiver) wait(t *testing.T, signal, text string, wanted map[string]string) {
	t.Helper()
	eventually(t, 2*time.Minute, fmt.Sprintf("%s with %q and %v arrive", signal, text, wanted), func() (bool, string) {
		return r.has(signal, text, wanted), r.say()
	})
}

// has tells whether such telemetry has come.
func (r *telemetryReceiver) has(signal, text string, wanted map[string]string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.seen, func(a arrived) bool {
		return a.signal == signal && strings.Contains(a.text, text) && contains(a.attributes, wanted)
	})
}

// waitAll wants the program's three signals with the attributes.
func (r *telemetryReceiver) waitAll(t *testing.T, wanted map[string]string) {
	t.Helper()
	for signal, text := range map[string]string{"traces": `"round"`, "metrics": "telemetry.rounds", "logs": "by OTLP"} {
		r.wait(t, signal, text, wanted)
	}
}

// header is what the last request had.
func (r *telemetryReceiver) header(name string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.headers.Get(name)
}

// say names the services and signals that came, for a person.
func (r *telemetryReceiver) say() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[string]int{}
	last := ""
	for _, a := range r.seen {
		counts[a.signal]++
		last = fmt.Sprint(a.attributes)
	}
	return fmt.Sprintf("arrived so far: %v; the last of %s", counts, last)
}

func contains(have, wanted map[string]string) bool {
	for key, value := range wanted {
		if got, found := have[key]; !found || value != "" && got != value {
			return false
		}
	}
	return true
}

// sendTo are values with which the collector's package sends what it gathers
// to the receiver, with a header of each kind.
func sendTo(r *telemetryReceiver) string {
	return fmt.Sprintf(`exporters:
- name: test
  protocol: http
  endpoint: %s
  compression: none
  headers:
  - {name: X-Plain, value: plain}
  - {name: X-Secret, secret: backend, key: token}
kubernetesAttributes:
  podLabels: [app]
agent:
  batch: {timeout: 200ms}
  kubeletStats: {insecureSkipVerify: true, interval: 5s}
  hostMetrics: {interval: 5s}
  resources: {requests: {cpu: 10m, memory: 64Mi}}
gateway:
  batch: {timeout: 200ms}
  resources: {requests: {cpu: 10m, memory: 48Mi}}
  config:
    exporters: {otlp_http/test: {encoding: json}}
`, r.url)
}
