package environment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/strake-dev/strake/tools/internal/apivalidate"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// RuleInvalid is for what the API server refuses beside what a schema can say, such as
// limits below requests.
const RuleInvalid = "invalid"

// examinee is an object, its package, and what its schema refuses.
type examinee struct {
	pkg    string
	object manifest.Object
	faults []fault
}

// refusals are what the API server would refuse. Where the schema refuses the same field,
// the finding of the schema is kept: it is the more general one, and the API server would
// not come further either.
func refusals(ctx context.Context, examined []examinee, api *API, server *apivalidate.Validator) ([]Finding, error) {
	if server == nil {
		return nil, nil
	}
	var objects []manifest.Object
	for _, s := range examined {
		objects = append(objects, s.object)
	}
	result, err := server.Validate(ctx, api.definitionsBeside(objects), objects)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, f := range result.Findings {
		s := examined[f.Object]
		if s.reports(f.Field) {
			continue
		}
		rule := RuleInvalid
		if strings.HasPrefix(f.Field, "metadata") {
			rule = RuleMetadata
		}
		findings = append(findings, Finding{s.pkg, s.object.ID(), rule, f.String()})
	}
	for _, i := range result.Unknown {
		s := examined[i]
		checkMetadata(s.object, func(rule, format string, args ...any) {
			findings = append(findings, Finding{s.pkg, s.object.ID(), rule, fmt.Sprintf(format, args...)})
		})
	}
	tellUnvalidated(ctx, examined, result.Unknown, api, server)
	return findings, nil
}

// reports tells whether there is a finding of the schema for a field. An object that
// cannot be decoded has no field: the schema says why.
func (s examinee) reports(field string) bool {
	return slices.ContainsFunc(s.faults, func(f fault) bool { return field == "" || f.field == field })
}

// tellUnvalidated names the kinds whose schema is known and whose rules are not, since
// they are of another minor version.
func tellUnvalidated(ctx context.Context, examined []examinee, unknown []int, api *API, server *apivalidate.Validator) {
	told := map[schema.GroupVersionKind]bool{}
	for _, i := range unknown {
		kind := examined[i].object.GroupVersionKind()
		if _, err := api.validator(kind); err != nil || told[kind] {
			continue // of others, or with a finding
		}
		told[kind] = true
		progress.From(ctx).Step("only the schema of %s %s was checked: the rules of Kubernetes %s do not know it", kind.GroupVersion(), kind.Kind, server.Minor)
	}
}
