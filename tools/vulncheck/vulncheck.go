package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"sigs.k8s.io/yaml"
)

// exception is a vulnerability that is known and accepted for now.
type exception struct {
	// ID is the advisory's, as in GO-2026-1234.
	ID string `json:"id"`
	// Reason says why it is accepted and when that ends.
	Reason string `json:"reason"`
}

// findings are the advisories of one run, by ID, with what each is about.
type findings struct {
	// all are those of every module that is required.
	all map[string]string
	// affecting are those whose vulnerable symbols this module reaches.
	affecting map[string]string
}

// readExceptions reads a YAML list of exceptions. One without a reason is an
// error.
func readExceptions(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the exceptions: %w", err)
	}
	var list []exception
	if err := yaml.UnmarshalStrict(data, &list); err != nil {
		return nil, fmt.Errorf("reading the exceptions in %s: %w", file, err)
	}
	byID := map[string]string{}
	for _, e := range list {
		if e.ID == "" || e.Reason == "" || byID[e.ID] != "" {
			return nil, fmt.Errorf("%s: exception %q: each ID stands once, with a reason", file, e.ID)
		}
		byID[e.ID] = e.Reason
	}
	return byID, nil
}

// readVEX reads the OpenVEX document that govulncheck prints
// (https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck). A document without
// an author or without statements that can be read is an error: a scan that
// failed must not pass for one that found nothing.
func readVEX(in io.Reader) (findings, error) {
	var document struct {
		Author     string `json:"author"`
		Statements []struct {
			Vulnerability struct {
				Name        string `json:"name"`
				Description string `json:"description"`
			} `json:"vulnerability"`
			Status string `json:"status"`
		} `json:"statements"`
	}
	if err := json.NewDecoder(in).Decode(&document); err != nil {
		return findings{}, fmt.Errorf("reading govulncheck's OpenVEX document from stdin: %w", err)
	}
	if document.Author == "" {
		return findings{}, errors.New("stdin is no OpenVEX document: it names no author; run govulncheck with -format openvex")
	}
	f := findings{all: map[string]string{}, affecting: map[string]string{}}
	for _, s := range document.Statements {
		f.all[s.Vulnerability.Name] = s.Vulnerability.Description
		if s.Status == "affected" {
			f.affecting[s.Vulnerability.Name] = s.Vulnerability.Description
		}
	}
	return f, nil
}

// compare returns an error for each vulnerability without an exception and for
// each exception without a vulnerability.
func compare(f findings, exceptions map[string]string) error {
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(f.affecting)) {
		if exceptions[id] == "" {
			errs = append(errs, fmt.Errorf("%s (https://pkg.go.dev/vuln/%s): %s: update the module, or except it with a reason", id, id, f.affecting[id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(exceptions)) {
		if _, found := f.affecting[id]; !found {
			errs = append(errs, fmt.Errorf("%s no longer affects this module: delete its exception", id))
		}
	}
	return errors.Join(errs...)
}
