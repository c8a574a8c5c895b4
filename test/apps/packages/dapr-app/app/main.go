// Command dapr-app is one program of a test of Dapr, told apart by its app ID.
// It serves what a sidecar calls, and passes on to its sidecar what the test
// asks, since a sidecar listens on the loopback address alone.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sidecar is where daprd serves its HTTP API.
var sidecar = url.URL{Scheme: "http", Host: "127.0.0.1:3500"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	if os.Getenv("WORKFLOWS") == "true" {
		go work(ctx)
	}
	server := &http.Server{Addr: ":8080", Handler: handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /caller", caller)
	mux.HandleFunc("GET /flaky", new(flaky).serve)
	mux.HandleFunc("GET /identity", identity)
	messages := new(messages)
	mux.HandleFunc("POST /messages", messages.receive)
	mux.HandleFunc("GET /messages", messages.list)
	mux.Handle("/sidecar/", http.StripPrefix("/sidecar", httputil.NewSingleHostReverseProxy(&sidecar)))
	return mux
}
