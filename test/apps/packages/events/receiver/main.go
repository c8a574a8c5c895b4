// Command events takes CloudEvents in binary mode, as brokers deliver them, and
// tells which it was sent: what tests put behind triggers.
//
//	POST /PATH       takes an event
//	POST /flaky      refuses each event once, with 503, and takes it then
//	POST /broken     refuses all
//	POST /answer     answers with an event, which is the reply to the one that it takes
//	GET  /events     lists, as JSON, every event that was sent, taken or not
//
// It has two other parts: `events job URL` sends on the event of a JobSink, and
// `events source` sends events to where a SinkBinding says.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// prefix begins the headers that are attributes of an event.
const prefix = "Ce-"

// sent is one delivery of an event.
type sent struct {
	Path       string            `json:"path"`
	Status     int               `json:"status"`
	Attributes map[string]string `json:"attributes"`
	Data       string            `json:"data"`
}

// receiver remembers what it was sent, in order.
type receiver struct {
	sync.Mutex
	all []sent
}

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == "job":
		err = relay(os.Args[2])
	case len(os.Args) == 2 && os.Args[1] == "source":
		err = source()
	default:
		err = receive()
	}
	if err != nil {
		log.Fatal(err)
	}
}

func receive() error {
	r, mux := &receiver{all: []sent{}}, http.NewServeMux()
	mux.HandleFunc("GET /events", r.list)
	mux.HandleFunc("POST /", r.take)
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func (r *receiver) take(w http.ResponseWriter, request *http.Request) {
	data, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	event := sent{Path: request.URL.Path, Attributes: map[string]string{}, Data: string(data)}
	for name, values := range request.Header {
		if attribute, ok := strings.CutPrefix(name, prefix); ok {
			event.Attributes[strings.ToLower(attribute)] = values[0]
		}
	}
	status := r.remember(event)
	if event.Path == "/answer" {
		answer(w, event)
		return
	}
	w.WriteHeader(status)
}

// answer sends the data back, as an event whose attribute replyid is what a
// RequestReply has put into correlationid.
func answer(w http.ResponseWriter, event sent) {
	describe(w.Header(), "answer-"+event.Attributes["id"], "test.answer")
	w.Header().Set(prefix+"Replyid", event.Attributes["correlationid"])
	if _, err := io.WriteString(w, `{"answers": `+event.Data+`}`); err != nil {
		log.Print(err)
	}
}

// remember answers with the status that the event's path asks for.
func (r *receiver) remember(event sent) int {
	r.Lock()
	defer r.Unlock()
	event.Status = http.StatusAccepted
	if event.Path == "/broken" || event.Path == "/flaky" && !r.knows(event) {
		event.Status = http.StatusServiceUnavailable
	}
	r.all = append(r.all, event)
	return event.Status
}

func (r *receiver) knows(event sent) bool {
	for _, earlier := range r.all {
		if earlier.Path == event.Path && earlier.Attributes["id"] == event.Attributes["id"] {
			return true
		}
	}
	return false
}

func (r *receiver) list(w http.ResponseWriter, _ *http.Request) {
	r.Lock()
	defer r.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(r.all); err != nil {
		log.Print(err)
	}
}
