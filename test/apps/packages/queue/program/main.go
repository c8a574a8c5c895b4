// Command queue makes a stream on a NATS server and serves /send?count=N, which
// sends N messages to it. With --work it takes them instead, one after the other.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// consumer is the durable consumer that all workers share, and that an
// autoscaler looks at.
const consumer = "workers"

// pace is how long a worker takes for a message.
const pace = 250 * time.Millisecond

func main() {
	server := flag.String("server", "nats://nats:4222", "URL of the NATS server")
	stream := flag.String("stream", "jobs", "the stream, and the subject of its messages")
	works := flag.Bool("work", false, "take messages")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *server, *stream, *works); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, server, stream string, works bool) error {
	conn, err := nats.Connect(server)
	if err != nil {
		return err
	}
	defer conn.Close()
	broker, err := conn.JetStream()
	if err != nil {
		return err
	}
	if err := declare(broker, stream); err != nil {
		return err
	}
	if works {
		go work(ctx, broker, stream)
	}
	return serve(ctx, broker, stream)
}

// declare makes what neither Dapr nor KEDA does.
func declare(broker nats.JetStreamContext, stream string) error {
	if _, err := broker.AddStream(&nats.StreamConfig{Name: stream, Subjects: []string{stream}}); err != nil {
		return fmt.Errorf("making the stream %s: %w", stream, err)
	}
	_, err := broker.AddConsumer(stream, &nats.ConsumerConfig{Durable: consumer, AckPolicy: nats.AckExplicitPolicy, AckWait: 5 * time.Second})
	if err != nil {
		return fmt.Errorf("making the consumer %s: %w", consumer, err)
	}
	return nil
}

func serve(ctx context.Context, broker nats.JetStreamContext, stream string) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /send", func(w http.ResponseWriter, r *http.Request) {
		if err := send(broker, stream, r.FormValue("count")); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func send(broker nats.JetStreamContext, stream, count string) error {
	number, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	for i := range number {
		if _, err := broker.Publish(stream, []byte(strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return nil
}

// work takes messages until ctx ends; what it does not finish another takes.
func work(ctx context.Context, broker nats.JetStreamContext, stream string) {
	subscription, err := broker.PullSubscribe(stream, consumer, nats.Bind(stream, consumer))
	if err != nil {
		log.Fatal(err)
	}
	for ctx.Err() == nil {
		messages, err := subscription.Fetch(1, nats.MaxWait(2*time.Second))
		if err != nil && !errors.Is(err, nats.ErrTimeout) {
			log.Print(err)
		}
		for _, message := range messages {
			time.Sleep(pace)
			if err := message.Ack(); err != nil {
				log.Print(err)
			}
		}
	}
}
