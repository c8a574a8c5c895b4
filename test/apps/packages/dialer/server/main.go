// Command dialer connects to addresses and reports what happened: what the tests
// try NetworkPolicies with.
//
// A request names the addresses: /?to=10.0.0.1:80&to=10.0.0.2:443. The answer is a
// JSON object that has, for each, "open", or the error.
package main

import (
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// patience is how long an address may take to answer: a NetworkPolicy drops packets
// rather than refusing a connection.
const patience = 3 * time.Second

func main() {
	server := &http.Server{Addr: ":8080", Handler: http.HandlerFunc(dial), ReadHeaderTimeout: 5 * time.Second}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func dial(w http.ResponseWriter, r *http.Request) {
	var group sync.WaitGroup
	var lock sync.Mutex
	answers := map[string]string{}
	for _, address := range r.URL.Query()["to"] {
		group.Go(func() {
			answer := connect(address)
			lock.Lock()
			defer lock.Unlock()
			answers[address] = answer
		})
	}
	group.Wait()
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answers); err != nil {
		log.Print(err)
	}
}

func connect(address string) string {
	connection, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err.Error()
	}
	_ = connection.Close()
	return "open"
}
