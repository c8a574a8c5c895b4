// Package apivalidate says of objects what the API server would refuse, with the API
// server's own code: validation of every kind of Kubernetes and, for objects of a
// CustomResourceDefinition, of its schema and its rules in CEL.
//
// No library has that code. It is in packages of k8s.io/kubernetes, which is no library
// (its staging modules must be replaced by a version each) and of which only one minor
// version can be linked into a program. It is therefore not in strake: the source of a
// small program is in _program, and strake compiles it with the modules of one minor
// version when that is first needed, keeps it in its cache, and runs it as a child.
// kubectl-validate (sigs.k8s.io/kubectl-validate v0.0.4) does the same for objects of
// CustomResourceDefinitions, by the same strategy of k8s.io/apiextensions-apiserver, but
// of Kubernetes 1.30, and for Kubernetes' own kinds it knows only the schemas.
//
// A minor version is data: modules/MINOR.mod requires k8s.io/kubernetes and replaces its
// staging modules, and modules/MINOR.sum has the checksums of all that is compiled. To
// add one, copy both files, change the versions, and run in the root of the checkout
//
//	go mod download -modfile=FILE
//	go test -mod=mod -modfile=FILE ./tools/internal/apivalidate/_program
//
// which adds to the .sum what is missing. A minor version that has no files is served by
// the nearest one: rules differ little between neighbours, while the schemas, which do
// differ, are always read from the version in question (package environment).
//
// The package must not know packages or environments. Start reading at [New].
package apivalidate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/strake-dev/strake/tools/internal/child"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Validator is the program of one minor version of Kubernetes.
type Validator struct {
	// Minor is that version, such as 1.34.
	Minor string
	file  string
}

// Result is what the API server would refuse.
type Result struct {
	Findings []Finding
	// Unknown are the objects, by their place, of kinds that the API server of this minor
	// version does not have and no definition defines. They were not validated.
	Unknown []int
}

// Finding is one reason to refuse an object.
type Finding struct {
	// Object is its place among the objects, from 0.
	Object int
	// Field is the path to it; it is empty if it is the object as a whole.
	Field   string
	Message string
}

// String is the finding on one line.
func (f Finding) String() string {
	if f.Field == "" {
		return f.Message
	}
	return f.Field + ": " + f.Message
}

const (
	// memory is more than four times what the largest environment of this repository
	// takes.
	memory = 2 << 30
	// mostOutput is how much the program may write, in bytes.
	mostOutput = 64 << 20
)

// Validate returns what the API server would refuse of objects. The definitions are
// CustomResourceDefinitions that it has already.
func (v *Validator) Validate(ctx context.Context, definitions, objects []manifest.Object) (*Result, error) {
	input, err := json.Marshal(map[string]any{"definitions": contents(definitions), "objects": contents(objects)})
	if err != nil {
		return nil, fmt.Errorf("printing the objects to validate: %w", err)
	}
	result, err := v.run(ctx, input)
	if err != nil {
		return nil, fmt.Errorf("validating by the rules of Kubernetes %s: %w", v.Minor, err)
	}
	return result, nil
}

func contents(objects []manifest.Object) []map[string]any {
	list := []map[string]any{}
	for _, o := range objects {
		list = append(list, o.Object)
	}
	return list
}

func (v *Validator) run(ctx context.Context, input []byte) (*Result, error) {
	process, err := child.StartProgram(ctx, v.file, child.Options{Memory: memory})
	if err != nil {
		return nil, err
	}
	written := make(chan error, 1)
	go func() {
		_, err := process.In.Write(input)
		_ = process.In.Close() // which Wait may have done
		written <- err
	}()
	result := &Result{}
	readErr := json.NewDecoder(io.LimitReader(process.Out, mostOutput)).Decode(result)
	ended := errors.Is(readErr, io.EOF) // without a word on stdout
	if readErr != nil && !ended {
		process.Kill()
	}
	err = process.Wait()
	writeErr := <-written
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && (readErr == nil || ended):
		return nil, err
	case readErr != nil:
		return nil, fmt.Errorf("reading what the program found: %w", readErr)
	case writeErr != nil:
		return nil, fmt.Errorf("handing the objects to the program: %w", writeErr)
	}
	return result, nil
}
