package lint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	kappconfig "carvel.dev/kapp/pkg/kapp/config"
	kappdiff "carvel.dev/kapp/pkg/kapp/diff"
	kappres "carvel.dev/kapp/pkg/kapp/resources"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkUnrecorded refuses an object that every reconcile updates. kapp keeps what it
// applied in an annotation, and compares with that as long as nobody else has
// changed the object. A CRD that is too large for an annotation has no such record,
// nor has any object with the annotation kapp.k14s.io/disable-original: kapp compares
// with what the API server holds, and a field that the server fills in, drops or
// writes in another way is a difference each time.
//
// What the server makes of an object is made by its own types, for CRDs with their
// defaults (those of other kinds are in no module made for others), and whether kapp
// has a record and finds a difference is asked of kapp's own code.
func checkUnrecorded(s *subject) []Finding { return unrecorded(s.final) }

func unrecorded(objects []manifest.Object) []Finding {
	config, err := kappConfig(objects)
	if err != nil {
		return nil // freeze-rebase tells
	}
	var findings []Finding
	for _, o := range objects {
		if !mayLackRecord(o) {
			continue
		}
		paths, err := differsUnrecorded(config, o)
		switch {
		case err != nil:
			findings = append(findings, at(o, "the API server refuses it: "+err.Error(), "correct it"))
		case len(paths) > 0:
			findings = append(findings, at(o,
				"every reconciliation updates it, because kapp has no record of it and the API server returns other values of "+strings.Join(paths, ", "),
				"write these values as the API server does, by an overlay"))
		}
	}
	return findings
}

// mayLackRecord is true of CRDs, which may be too large for a record, and of those of
// Kubernetes' own kinds that are to have none.
func mayLackRecord(o manifest.Object) bool {
	return isCRD(o) || unrecordedByChoice(o) && scheme.Scheme.Recognizes(o.GroupVersionKind())
}

// disableOriginal is kapp's annotation of objects that it keeps no record of.
const disableOriginal = "kapp.k14s.io/disable-original"

func unrecordedByChoice(o manifest.Object) bool {
	_, disabled := o.GetAnnotations()[disableOriginal]
	return disabled
}

// differsUnrecorded are the fields that kapp would update in an object which the
// cluster has from the same package, as paths such as /spec/conversion; none
// where kapp has a record of it.
func differsUnrecorded(config kappconfig.Conf, o manifest.Object) ([]string, error) {
	served, err := asServed(o)
	if err != nil {
		return nil, err
	}
	factory := kappdiff.NewChangeFactory(inTurn(config.RebaseMods()), config.DiffAgainstLastAppliedFieldExclusionMods(),
		config.DiffAgainstExistingFieldExclusionMods(), kappdiff.ChangeOpts{})
	held := factory.NewResourceWithHistory(served)
	applied, err := held.CalculateChange(asResource(o))
	if err != nil {
		return nil, err
	}
	if held.AllowsRecordingLastApplied() {
		if _, recorded, err := held.RecordLastAppliedResource(applied); recorded || err != nil {
			return nil, err
		}
	}
	change, err := factory.NewChangeAgainstLastApplied(served, asResource(o))
	if err != nil || change.Op() == kappdiff.ChangeOpKeep {
		return nil, err
	}
	return pathsOf(change.OpsDiff())
}

// pathsOf are the fields that a difference is about, each once.
func pathsOf(difference kappdiff.OpsDiff) ([]string, error) {
	var steps []struct{ Path string }
	if err := yaml.Unmarshal([]byte(difference.MinimalString()), &steps); err != nil {
		return nil, fmt.Errorf("reading kapp's difference: %w", err)
	}
	var paths []string
	for _, step := range steps {
		if path := strings.ReplaceAll(step.Path, "?", ""); !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths, nil
}

// asServed is an object as the API server returns it, but for what it writes into
// metadata and status, which kapp leaves out of account.
func asServed(o manifest.Object) (kappres.Resource, error) {
	typed, err := typedAs(o)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(o.Object)
	if err != nil {
		return nil, fmt.Errorf("writing it as JSON: %w", err)
	}
	if err := json.Unmarshal(data, typed); err != nil {
		return nil, fmt.Errorf("reading it as a %s: %w", o.GetKind(), err)
	}
	if crd, is := typed.(*apiextensions.CustomResourceDefinition); is {
		apiextensions.SetObjectDefaults_CustomResourceDefinition(crd)
	}
	if data, err = json.Marshal(typed); err != nil {
		return nil, fmt.Errorf("writing it as the API server does: %w", err)
	}
	served := manifest.Object{Unstructured: &unstructured.Unstructured{}}
	if err := served.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("reading what the API server writes: %w", err)
	}
	return asResource(served), nil
}

func typedAs(o manifest.Object) (runtime.Object, error) {
	if isCRD(o) {
		return &apiextensions.CustomResourceDefinition{}, nil
	}
	return scheme.Scheme.New(o.GroupVersionKind())
}
