package environment

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/gonvenience/ytbx"
	"github.com/homeport/dyff/pkg/dyff"
	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Change is what happened to an object or to a field on the way from one
// environment to the other.
type Change string

// The changes. Only a field of a list is reordered.
const (
	Added     Change = "added"
	Removed   Change = "removed"
	Changed   Change = "changed"
	Reordered Change = "reordered"
)

// Difference is an object that is not the same in both environments.
type Difference struct {
	Package string `json:"package"`
	// Object is the ID, as in "Deployment.apps keda/keda-operator".
	Object string `json:"object"`
	Change Change `json:"change"`
	// Fields are those of a changed object, by path.
	Fields []Field `json:"fields,omitempty"`
}

// Field is a field that is not the same in both.
type Field struct {
	// Path is as people read it:
	// spec.template.spec.containers[name=keda-operator].resources.requests.cpu.
	Path   string `json:"path"`
	Change Change `json:"change"`
	// From and To are the values; neither is there for a secret.
	From any `json:"from,omitempty"`
	To   any `json:"to,omitempty"`
	// Secret says that the values are kept back.
	Secret bool `json:"secret,omitempty"`
}

// Diff tells what differs between two environments, by package, object and
// path. Items of lists are matched by their name, key or id where all have
// one. Values of Secrets are in nothing that it returns.
func Diff(from, to Rendered) ([]Difference, error) {
	var all []Difference
	names := maps.Clone(from)
	maps.Copy(names, to)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		some, err := diffPackage(name, byID(from[name]), byID(to[name]))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

func byID(objects []manifest.Object) map[string]manifest.Object {
	found := map[string]manifest.Object{}
	for _, o := range objects {
		found[o.ID()] = o
	}
	return found
}

func diffPackage(name string, from, to map[string]manifest.Object) ([]Difference, error) {
	ids := maps.Clone(from)
	maps.Copy(ids, to)
	var found []Difference
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		before, was := from[id]
		after, is := to[id]
		switch {
		case !was:
			found = append(found, Difference{Package: name, Object: id, Change: Added})
		case !is:
			found = append(found, Difference{Package: name, Object: id, Change: Removed})
		case !equality.Semantic.DeepEqual(before.Object, after.Object):
			fields, err := diffObjects(before, after)
			if err != nil {
				return nil, fmt.Errorf("comparing %s of %s: %w", id, name, err)
			}
			found = append(found, Difference{name, id, Changed, fields})
		}
	}
	return found, nil
}

func diffObjects(from, to manifest.Object) ([]Field, error) {
	before, err := input(from)
	if err != nil {
		return nil, err
	}
	after, err := input(to)
	if err != nil {
		return nil, err
	}
	report, err := dyff.CompareInputFiles(before, after, dyff.KubernetesEntityDetection(false))
	if err != nil {
		return nil, err
	}
	d := differ{secret: isSecret(from) || isSecret(to)}
	for _, diff := range report.Diffs {
		for _, detail := range diff.Details {
			if err := d.add(elements(diff.Path), detail); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(d.fields, func(a, b Field) int { return cmp.Compare(a.Path, b.Path) })
	return d.fields, nil
}

func isSecret(o manifest.Object) bool {
	gvk := o.GroupVersionKind()
	return gvk.Group == "" && gvk.Kind == "Secret"
}

func input(o manifest.Object) (ytbx.InputFile, error) {
	content := &yaml.Node{}
	if err := content.Encode(o.Object); err != nil {
		return ytbx.InputFile{}, fmt.Errorf("reading the object: %w", err)
	}
	return ytbx.InputFile{Documents: []*yaml.Node{{Kind: yaml.DocumentNode, Content: []*yaml.Node{content}}}}, nil
}

// differ gathers the fields of one object.
type differ struct {
	secret bool
	fields []Field
}

// add takes apart what dyff says of the keys of one map, or the items of one
// list, together.
func (d *differ) add(at path, detail dyff.Detail) error {
	switch detail.Kind {
	case dyff.ADDITION:
		return d.each(at, detail.To, func(p path, value *yaml.Node) error { return d.field(p, Added, nil, value) })
	case dyff.REMOVAL:
		return d.each(at, detail.From, func(p path, value *yaml.Node) error { return d.field(p, Removed, value, nil) })
	case dyff.ORDERCHANGE:
		return d.field(at, Reordered, detail.From, detail.To)
	}
	return d.field(at, Changed, detail.From, detail.To)
}

func (d *differ) each(at path, node *yaml.Node, visit func(path, *yaml.Node) error) error {
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if err := visit(at.key(node.Content[i].Value), node.Content[i+1]); err != nil {
				return err
			}
		}
		return nil
	case yaml.SequenceNode:
		for _, item := range node.Content {
			if err := visit(at.item(item), item); err != nil {
				return err
			}
		}
		return nil
	}
	return visit(at, node)
}

func (d *differ) field(at path, change Change, from, to *yaml.Node) error {
	f := Field{Path: at.String(), Change: change}
	if f.Secret = d.secret && at.within("data", "stringData"); f.Secret {
		d.fields = append(d.fields, f)
		return nil
	}
	var err error
	if f.From, err = value(from); err != nil {
		return err
	}
	if f.To, err = value(to); err != nil {
		return err
	}
	d.fields = append(d.fields, f)
	return nil
}

func value(node *yaml.Node) (any, error) {
	if node == nil {
		return nil, nil
	}
	var content any
	if err := node.Decode(&content); err != nil {
		return nil, fmt.Errorf("reading a value: %w", err)
	}
	return content, nil
}
