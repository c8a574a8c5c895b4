package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

// overrides are what a SinkBinding wants every event to have.
type overrides struct {
	Extensions map[string]string `json:"extensions"`
}

// source sends an event every second to where a SinkBinding says, until the
// program is ended. Without a SinkBinding it ends by itself.
func source() error {
	sink := os.Getenv("K_SINK")
	if sink == "" {
		return errors.New("no SinkBinding has set K_SINK")
	}
	var more overrides
	if text := os.Getenv("K_CE_OVERRIDES"); text != "" {
		if err := json.Unmarshal([]byte(text), &more); err != nil {
			return fmt.Errorf("reading K_CE_OVERRIDES: %w", err)
		}
	}
	for id := 1; ; id++ {
		request, err := http.NewRequest(http.MethodPost, sink, strings.NewReader("{}"))
		if err != nil {
			return fmt.Errorf("reading K_SINK: %w", err)
		}
		describe(request.Header, fmt.Sprint(id), "test.bound")
		for name, value := range more.Extensions {
			request.Header.Set(prefix+name, value)
		}
		if err := deliver(request); err != nil {
			log.Print(err)
		}
		time.Sleep(time.Second)
	}
}

// describe gives an event in binary mode its attributes.
func describe(header http.Header, id, kind string) {
	header.Set(prefix+"Specversion", "1.0")
	header.Set(prefix+"Id", id)
	header.Set(prefix+"Source", "/events")
	header.Set(prefix+"Type", kind)
	header.Set("Content-Type", "application/json")
}

func deliver(request *http.Request) error {
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("sending to %s: %s", request.URL, response.Status)
	}
	return nil
}
