package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
)

// relay sends on to a URL the event for which a JobSink has started this program,
// as it finds it: in structured mode, in the folder that K_EVENT_PATH names.
func relay(to string) error {
	data, err := os.ReadFile(filepath.Join(os.Getenv("K_EVENT_PATH"), "event"))
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, to, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/cloudevents+json")
	return deliver(request)
}
