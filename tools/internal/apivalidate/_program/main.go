// Command apivalidate says of objects what the API server of one minor version of
// Kubernetes would refuse, with the API server's own code. It does to each object what
// the API server does to a new one, up to the moment at which it would be stored:
// decode, convert, set defaults, prepare, validate. The rules are in the strategies of
// k8s.io/kubernetes/pkg/registry and, for objects of a CustomResourceDefinition, in that
// of k8s.io/apiextensions-apiserver, which runs rules in CEL as well.
//
// It reads one [Input] as JSON from stdin and writes one [Output] to stdout. It asks no
// cluster: what admission plugins, webhooks and quotas would say is not known here.
//
// Strake compiles it outside its own module; see the package in the folder above.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// Input is what is validated.
type Input struct {
	// Definitions are CustomResourceDefinitions that the cluster has already. They
	// are not validated.
	Definitions []json.RawMessage `json:"definitions"`
	// Objects may contain further definitions.
	Objects []json.RawMessage `json:"objects"`
}

// Output is what would be refused.
type Output struct {
	Findings []Finding `json:"findings"`
	// Unknown are the objects whose kind this version of Kubernetes does not have and no
	// definition defines, by their place in the input.
	Unknown []int `json:"unknown"`
}

// Finding is one reason why an object would be refused.
type Finding struct {
	// Object is its place in the input, from 0: two objects may have the same name.
	Object int `json:"object"`
	// Field is the path to it; it is empty where an object cannot be decoded, or is
	// too large.
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// maxInput bounds what is read, in bytes.
const maxInput = 512 << 20

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	var input Input
	if err := json.NewDecoder(io.LimitReader(in, maxInput)).Decode(&input); err != nil {
		return fmt.Errorf("reading the objects to validate, of at most %d bytes: %w", maxInput, err)
	}
	output, err := validate(input)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(output)
}
