package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// document is one document of a YAML stream.
type document struct {
	// line is where its first line of content stands in the stream, from 1.
	line int
	// first is where data begins, which errors of the YAML reader count from.
	first int
	data  []byte
}

// Decode reads a stream of YAML or JSON documents into objects, with lists
// expanded. All errors of the stream are found, each as "file:line: …".
func Decode(file string, data []byte) ([]Object, error) {
	if err := untrusted.YAML(data); err != nil {
		return nil, fmt.Errorf("%s:1: %w", file, err)
	}
	var objects []Object
	var errs []error
	for _, d := range split(data) {
		some, err := d.decode(file)
		objects, errs = append(objects, some...), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return objects, nil
}

// split cuts a stream at its document markers. YAML forbids a marker at the
// start of a line within a document, block scalars included, so lines are
// enough to tell. Documents without content are left out.
func split(data []byte) []document {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var documents []document
	current := document{first: 1}
	n := 0
	for line := range bytes.Lines(data) {
		n++
		rest, isMarker := cutMarker(line)
		if isMarker {
			documents = appendContent(documents, current)
			current = document{first: n}
			line = rest
		}
		if current.line == 0 && isContent(line) {
			current.line = n
		}
		current.data = append(current.data, line...)
	}
	return appendContent(documents, current)
}

// cutMarker tells whether a line starts or ends a document, and gives what
// else stands on it.
func cutMarker(line []byte) (rest []byte, ok bool) {
	for _, marker := range []string{"---", "..."} {
		rest, ok := bytes.CutPrefix(line, []byte(marker))
		if ok && (len(rest) == 0 || strings.ContainsRune(" \t\r\n", rune(rest[0]))) {
			return rest, true
		}
	}
	return nil, false
}

// isContent tells a line with content from blank ones, comments and
// directives.
func isContent(line []byte) bool {
	line = bytes.TrimSpace(line)
	return len(line) > 0 && line[0] != '#' && line[0] != '%'
}

func appendContent(documents []document, d document) []document {
	if d.line == 0 {
		return documents
	}
	return append(documents, d)
}

func (d document) decode(file string) ([]Object, error) {
	asJSON, err := yaml.YAMLToJSONStrict(d.data)
	if err != nil {
		line, message := d.place(err)
		return nil, fmt.Errorf("%s:%d: %s", file, line, message)
	}
	if string(bytes.TrimSpace(asJSON)) == "null" {
		return nil, nil
	}
	origin := Origin{File: file, Line: d.line}
	object, err := fromJSON(asJSON, origin)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", origin, err)
	}
	return expand(object)
}

// place translates a line number in an error of the YAML reader.
func (d document) place(err error) (line int, message string) {
	message = strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	message = strings.TrimPrefix(message, "yaml: ")
	found := regexp.MustCompile(`line (\d+): `).FindStringSubmatchIndex(message)
	if found == nil {
		return d.line, message
	}
	n, err := strconv.Atoi(message[found[2]:found[3]])
	if err != nil {
		return d.line, message
	}
	message = message[:found[0]] + message[found[1]:]
	return d.first + n - 1, strings.TrimPrefix(message, "unmarshal errors:\n  ")
}

// fromJSON makes an object of one JSON document. What is no object, or does
// not say which one it is, is an error.
func fromJSON(data []byte, origin Origin) (Object, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return Object{}, errors.New("not a Kubernetes object, but a list or a single value")
	}
	content := map[string]any{}
	if err := unmarshal(data, &content); err != nil {
		return Object{}, fmt.Errorf("reading the object: %w", err)
	}
	o := Object{Unstructured: &unstructured.Unstructured{Object: content}, Origin: origin}
	o.settleName()
	return o, o.check()
}

func (o Object) check() error {
	for _, field := range []string{"apiVersion", "kind"} {
		if s, ok := o.Object[field].(string); !ok || s == "" {
			return fmt.Errorf("not a Kubernetes object: %s is missing or not a string", field)
		}
	}
	if _, err := schema.ParseGroupVersion(o.GetAPIVersion()); err != nil {
		return fmt.Errorf("not a Kubernetes object: %w", err)
	}
	if o.isKustomization() {
		return errors.New("a kustomization, not an object of a cluster: render its folder with kind kustomize")
	}
	return o.checkMetadata()
}

// settleName gives an object whose name the cluster would generate the part of
// it that is known: kapp tells objects apart by name, and would make one anew
// at each reconcile. An overlay may say more, such as a Job's version.
func (o Object) settleName() {
	stem := strings.TrimRight(o.GetGenerateName(), "-")
	if stem == "" || o.GetName() != "" {
		return
	}
	o.SetGenerateName("")
	o.SetName(stem)
}

// checkMetadata wants text where a name belongs. Without quotes "n" and "on"
// are no text in YAML 1.1, which is what Kubernetes reads.
func (o Object) checkMetadata() error {
	name, _, err := unstructured.NestedString(o.Object, "metadata", "name")
	if err != nil || (name == "" && !o.isList()) {
		return fmt.Errorf("%s: metadata.name is missing or not a string", o.GetKind())
	}
	if _, _, err := unstructured.NestedString(o.Object, "metadata", "namespace"); err != nil {
		return fmt.Errorf("%s: metadata.namespace is not a string", o.GetKind())
	}
	return nil
}

func (o Object) isKustomization() bool {
	return o.GroupVersionKind().Group == "kustomize.config.k8s.io"
}

// isList tells lists, such as List and DeploymentList, from kinds that merely
// have a field called items.
func (o Object) isList() bool {
	_, ok := o.Object["items"].([]any)
	return ok && strings.HasSuffix(o.GetKind(), "List")
}

// expand replaces a list by its items, which share its origin.
func expand(o Object) ([]Object, error) {
	if !o.isList() {
		return []Object{o}, nil
	}
	var objects []Object
	for i, item := range o.Object["items"].([]any) {
		content, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s: item %d of the list is not an object", o.Origin, i)
		}
		one := Object{Unstructured: &unstructured.Unstructured{Object: content}, Origin: o.Origin}
		one.inherit(o)
		one.settleName()
		if err := one.check(); err != nil {
			return nil, fmt.Errorf("%s: item %d of the list: %w", o.Origin, i, err)
		}
		some, err := expand(one)
		if err != nil {
			return nil, err
		}
		objects = append(objects, some...)
	}
	return objects, nil
}

// inherit gives an item of a typed list, such as a DeploymentList, the type
// that it may leave out.
func (o Object) inherit(list Object) {
	kind := strings.TrimSuffix(list.GetKind(), "List")
	if kind == "" || o.GetKind() != "" || o.GetAPIVersion() != "" {
		return
	}
	o.SetKind(kind)
	o.SetAPIVersion(list.GetAPIVersion())
}
