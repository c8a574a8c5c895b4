// Program telemetry sends a span, a count and a log record each second, and
// prints a line. Where they go and whose they are, it leaves to OpenTelemetry's
// environment variables.
package main

import (
	"context"
	"fmt"
	stdlog "log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		stdlog.Fatal(err)
	}
}

func run(ctx context.Context) error {
	spans, err := otlptracehttp.New(ctx)
	if err != nil {
		return err
	}
	counts, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return err
	}
	records, err := otlploghttp.New(ctx)
	if err != nil {
		return err
	}
	traces := trace.NewTracerProvider(trace.WithBatcher(spans, trace.WithBatchTimeout(time.Second)))
	metrics := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(counts, metric.WithInterval(time.Second))))
	logs := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(records, sdklog.WithExportInterval(time.Second))))

	counter, err := metrics.Meter("telemetry").Int64Counter("telemetry.rounds")
	if err != nil {
		return err
	}
	for round := 1; ; round++ {
		inner, span := traces.Tracer("telemetry").Start(ctx, "round")
		counter.Add(inner, 1)
		var record log.Record
		record.SetTimestamp(time.Now())
		record.SetBody(log.StringValue(fmt.Sprintf("round %d by OTLP", round)))
		logs.Logger("telemetry").Emit(inner, record)
		fmt.Printf("round %d by stdout\n", round)
		span.End()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}
