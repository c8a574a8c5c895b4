// Command hello answers every request with a greeting: what the tests put
// behind ingresses and autoscalers.
//
// PORT is where it listens (8080), TARGET whom it greets. A request may ask for
// a slow answer: /?sleep=300ms.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

// longest is the slowest answer that a request may ask for.
const longest = 10 * time.Second

func main() {
	server := &http.Server{
		Addr:              ":" + cmp.Or(os.Getenv("PORT"), "8080"),
		Handler:           http.HandlerFunc(greet),
		ReadHeaderTimeout: 5 * time.Second,
	}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func greet(w http.ResponseWriter, r *http.Request) {
	if text := r.URL.Query().Get("sleep"); text != "" {
		pause, err := time.ParseDuration(text)
		if err != nil || pause < 0 || pause > longest {
			http.Error(w, fmt.Sprintf("sleep must be a duration of at most %s", longest), http.StatusBadRequest)
			return
		}
		time.Sleep(pause)
	}
	host, _ := os.Hostname()
	fmt.Fprintf(w, "Hello %s from %s\n", cmp.Or(os.Getenv("TARGET"), "world"), host)
}
