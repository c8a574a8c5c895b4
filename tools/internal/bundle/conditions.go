package bundle

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// conditionsFile is where [Holds] puts its question among a bundle's files.
const conditionsFile = configDir + "/strake-conditions.yml"

// Holds tells which of the conditions, Starlark expressions on "values", values of the
// package meet. The package's defaults fill in what they leave out.
func Holds(ctx context.Context, b *Bundle, values []ValuesFile, conditions []string) ([]bool, error) {
	files := map[string][]byte{}
	for name, data := range b.Files {
		if path.Base(name) == path.Base(schemaFile) || strings.HasSuffix(name, ".star") || strings.HasSuffix(name, ".lib.yml") {
			files[name] = data
		}
	}
	var question bytes.Buffer
	question.WriteString("#@ load(\"@ytt:data\", \"data\")\n#@ values = data.values\n---\nholds:\n")
	for _, condition := range conditions {
		fmt.Fprintf(&question, "- #@ bool(%s)\n", condition)
	}
	files[conditionsFile] = question.Bytes()
	stream, err := yttRequest{files: files, values: values, foreign: true}.run(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the conditions of %s %s: %w", b.Package, b.Version, err)
	}
	var answer struct{ Holds []bool }
	if err := yaml.Unmarshal(stream, &answer); err != nil {
		return nil, fmt.Errorf("reading the conditions of %s %s: %w", b.Package, b.Version, err)
	}
	return answer.Holds, nil
}
