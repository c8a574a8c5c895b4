package test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// protocolsCollector receives what older SDKs send. Its image must contain the
// receivers, or it does not start.
func protocolsCollector(namespace, url string) string {
	return fmt.Sprintf(`apiVersion: opentelemetry.io/v1beta1
kind: OpenTelemetryCollector
metadata: {name: protocols, namespace: %s}
spec:
  mode: deployment
  upgradeStrategy: none
  resources: {requests: {cpu: 1m, memory: 32Mi}}
  config:
    receivers:
      jaeger: {protocols: {grpc: {endpoint: "0.0.0.0:14250"}}}
      zipkin: {endpoint: "0.0.0.0:9411"}
    exporters: {otlp_http: {endpoint: %q, encoding: json, compression: none}}
    service:
      pipelines:
        traces: {receivers: [jaeger, zipkin], exporters: [otlp_http]}`, namespace, url)
}

// operatorReceivesOtherProtocols sends a span as Zipkin clients do, to the Service that
// the operator creates for the receivers' ports.
func (c *cluster) operatorReceivesOtherProtocols(t *testing.T, namespace string, receiver *telemetryReceiver) {
	c.apply(t, protocolsCollector(namespace, receiver.url))
	c.waitReady(t, namespace, "protocols-collector")
	span := fmt.Sprintf(`[{"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"a2fb4a1d1a96d312","name":"by zipkin",
		"timestamp":%d,"duration":1000,"localEndpoint":{"serviceName":"by-zipkin"}}]`, time.Now().UnixMicro())
	eventually(t, time.Minute, "the Zipkin receiver accepts a span", func() (bool, string) {
		answer, err := c.typed.CoreV1().RESTClient().Post().Namespace(namespace).Resource("services").Name("protocols-collector:9411").
			SubResource("proxy").Suffix("/api/v2/spans").SetHeader("Content-Type", "application/json").
			Body(strings.NewReader(span)).DoRaw(t.Context())
		return err == nil, fmt.Sprintf("%v: %s", err, answer)
	})
	receiver.wait(t, "traces", "by zipkin", map[string]string{"service.name": "by-zipkin"})
}
