package environment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	openapi "k8s.io/kube-openapi/pkg/validation/errors"
	"k8s.io/kube-openapi/pkg/validation/validate"

	"github.com/strake-dev/strake/tools/internal/apivalidate"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// The rules of [Validate].
const (
	RuleUnknownKind   = "unknown-kind"
	RuleSchema        = "schema"
	RuleDeprecatedAPI = "deprecated-api"
	RuleRemovedAPI    = "removed-api"
	RuleForeignImage  = "foreign-image"
)

// Finding is something that a cluster of the environment would refuse, or that
// the environment forbids.
type Finding struct {
	Package string `json:"package"`
	Object  string `json:"object"`
	// Rule is one of the rules above.
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

// String is the finding on one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s (%s)", f.Package, f.Object, f.Message, f.Rule)
}

// Options are an environment's own demands.
type Options struct {
	// Registry is where all images must come from, HOST or HOST/PATH; empty
	// means from anywhere.
	Registry string
	// Registries are further ones, in the same form.
	Registries []string
	// Server validates as the API server does. Without it, schemas alone are checked.
	Server *apivalidate.Validator
}

// Validate judges the objects of an environment by the API of its version of
// Kubernetes and by the CustomResourceDefinitions among the objects, of
// whatever package, and then as the API server does. Fields that are null count as left
// out, as they do for the API server; status is not looked at, since that is the
// cluster's. Findings are sorted by package and object.
func Validate(ctx context.Context, rendered Rendered, api *API, o Options) ([]Finding, error) {
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if err := api.Define(rendered[name]); err != nil {
			return nil, err
		}
	}
	var findings []Finding
	var examined []examinee
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		for _, object := range rendered[name] {
			add := func(rule, format string, args ...any) {
				findings = append(findings, Finding{name, object.ID(), rule, fmt.Sprintf(format, args...)})
			}
			if nameless(object) {
				add(RuleMetadata, "it has no name or no kind; give it both")
				continue
			}
			faults, err := api.check(object, add)
			if err != nil {
				return nil, fmt.Errorf("validating %s of %s: %w", object.ID(), name, err)
			}
			examined = append(examined, examinee{name, object, faults})
			checkImages(object, o, add)
		}
	}
	refused, err := refusals(ctx, examined, api, o.Server)
	if err != nil {
		return nil, err
	}
	findings = append(append(findings, refused...), ownersOf(rendered).duplicates(rendered)...)
	sortFindings(findings)
	return findings, nil
}

func sortFindings(findings []Finding) {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Object, b.Object),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
}

// report adds a finding about the object in question.
type report func(rule, format string, args ...any)

// check returns what the schema of an object's kind refuses.
func (a *API) check(o manifest.Object, add report) ([]fault, error) {
	gvk := o.GroupVersionKind()
	removed := a.checkLifecycle(gvk, add)
	validator, err := a.validator(gvk)
	switch {
	case errors.Is(err, errNotServed):
		if !removed && !a.foreign[gvk.GroupVersion()] {
			add(RuleUnknownKind, "neither Kubernetes %s nor a package serves %s of %s; if others provide it, add %[3]s to apis in environment.yml", a.version, gvk.Kind, gvk.GroupVersion())
		}
		return nil, nil
	case err != nil:
		return nil, err
	}
	content := runtime.DeepCopyJSON(o.Object)
	delete(content, "status")
	faults := faultsOf(validator.Validate(received(content)))
	for _, f := range faults {
		add(RuleSchema, "%s", f.message)
	}
	return faults, nil
}

// fault is what a schema refuses of an object.
type fault struct{ field, message string }

func faultsOf(result *validate.Result) []fault {
	var list []fault
	for _, err := range result.Errors {
		f := fault{message: strings.Join(strings.Fields(err.Error()), " ")}
		if at := (*openapi.Validation)(nil); errors.As(err, &at) {
			f.field = at.Name
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b fault) int { return cmp.Compare(a.message, b.message) })
	return slices.CompactFunc(list, func(a, b fault) bool { return a.message == b.message })
}

// received changes an object, in place, into what the API server makes of it: what
// is null is left out, and numbers without a fraction are integers.
func received(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, below := range value {
			if below == nil {
				delete(value, key)
				continue
			}
			value[key] = received(below)
		}
	case []any:
		for i := range value {
			value[i] = received(value[i])
		}
	case float64:
		if whole := int64(value); float64(whole) == value {
			return whole
		}
	}
	return value
}

// What Kubernetes' own types say of the life of their API.
type (
	deprecated interface{ APILifecycleDeprecated() (major, minor int) }
	removed    interface{ APILifecycleRemoved() (major, minor int) }
	replaced   interface {
		APILifecycleReplacement() schema.GroupVersionKind
	}
)

// checkLifecycle tells whether an API is served no more, or is about to be.
func (a *API) checkLifecycle(gvk schema.GroupVersionKind, add report) (gone bool) {
	if kind, ok := a.custom[gvk]; ok {
		if kind.deprecated != "" {
			add(RuleDeprecatedAPI, "%s", kind.deprecated)
		}
		return false
	}
	object, err := scheme.Scheme.New(gvk)
	if err != nil {
		return false // of no API that Kubernetes has a type for
	}
	instead := ""
	if r, ok := object.(replaced); ok {
		to := r.APILifecycleReplacement()
		instead = fmt.Sprintf("; use %s %s", to.GroupVersion(), to.Kind)
	}
	name := gvk.GroupVersion().String() + " " + gvk.Kind
	if r, ok := object.(removed); ok {
		if major, minor := r.APILifecycleRemoved(); a.version.atLeast(major, minor) {
			add(RuleRemovedAPI, "%s is served no more since Kubernetes %d.%d%s", name, major, minor, instead)
			return true
		}
	}
	if d, ok := object.(deprecated); ok {
		if major, minor := d.APILifecycleDeprecated(); a.version.atLeast(major, minor) {
			add(RuleDeprecatedAPI, "%s is deprecated since Kubernetes %d.%d%s", name, major, minor, instead)
		}
	}
	return false
}
