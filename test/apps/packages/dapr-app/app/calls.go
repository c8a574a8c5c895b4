package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
)

// caller answers with the app ID that the sidecar says the request is from.
func caller(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, r.Header.Get("Dapr-Caller-App-Id"))
}

// flaky fails the first requests of a key and says at last how many there were.
type flaky struct {
	mutex    sync.Mutex
	attempts map[string]int
}

// serve takes the key and the number of failures from ?key=KEY&failures=N.
func (f *flaky) serve(w http.ResponseWriter, r *http.Request) {
	failures, err := strconv.Atoi(r.FormValue("failures"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	attempt := f.count(r.FormValue("key"))
	if attempt <= failures {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	fmt.Fprint(w, attempt)
}

func (f *flaky) count(key string) int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.attempts == nil {
		f.attempts = map[string]int{}
	}
	f.attempts[key]++
	return f.attempts[key]
}

// messages keeps the data of the CloudEvents that a sidecar delivers.
type messages struct {
	mutex sync.Mutex
	data  []json.RawMessage
}

func (m *messages) receive(w http.ResponseWriter, r *http.Request) {
	var event struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.data = append(m.data, event.Data)
}

func (m *messages) list(w http.ResponseWriter, _ *http.Request) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := json.NewEncoder(w).Encode(m.data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}
