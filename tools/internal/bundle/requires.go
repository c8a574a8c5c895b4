package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	kappctrl "github.com/vmware-tanzu/carvel-kapp-controller/pkg/apis/kappctrl/v1alpha1"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// apisValue is the value in which kapp-controller tells what the cluster
// serves, as group versions. It is null wherever nobody tells.
const apisValue = "strake.apis"

// requiresAnnotation holds a version's needs as JSON, for programs.
const requiresAnnotation = "strake.dev/requires"

// askedAPIs are the needs that are checked on the cluster before anything is
// deployed.
func askedAPIs(v *catalog.Version) []catalog.Requirement {
	var asked []catalog.Requirement
	for _, r := range v.Requires {
		if r.API != "" && !r.Optional {
			asked = append(asked, r)
		}
	}
	return asked
}

// requiresSchema declares the value that kapp-controller fills with what the
// cluster serves, and refuses it where an API is missing: so an install
// fails with the reason, as for any wrong value, before objects go out. It
// stands among the upstream's files since it is no value for users: these come
// after the package's own schema and stay out of the Package's.
func requiresSchema(asked []catalog.Requirement, repo catalog.Repository) []byte {
	var text strings.Builder
	text.WriteString("#! Made from requires of version.yml.\n#@data/values-schema\n#@overlay/match-child-defaults missing_ok=True\n---\nstrake:\n  #@schema/nullable\n")
	var rules []string
	for _, r := range asked {
		must := fmt.Sprintf("with %s, which %s %s serves; install that first (%s)", r.API, repo.FullName(r.Package), r.Constraint, strings.TrimSpace(r.Reason))
		rules = append(rules, fmt.Sprintf("(%q, lambda apis: any([api == %q for api in apis]))", must, r.API))
	}
	fmt.Fprintf(&text, "  #@schema/validation %s\n", strings.Join(rules, ", "))
	text.WriteString("  apis:\n  - \"\"\n")
	return []byte(text.String())
}

// clusterAPIs makes kapp-controller give ytt the value that [requiresSchema]
// asks for.
func clusterAPIs() []kappctrl.AppTemplateValuesSource {
	return []kappctrl.AppTemplateValuesSource{{DownwardAPI: &kappctrl.AppTemplateValuesDownwardAPI{
		Items: []kappctrl.AppTemplateValuesDownwardAPIItem{{Name: apisValue, KubernetesAPIs: &kappctrl.KubernetesAPIs{}}},
	}}}
}

// needed is one need as the annotation holds it.
type needed struct {
	Package    string `json:"package"`
	Constraint string `json:"constraint"`
	Optional   bool   `json:"optional,omitempty"`
	Reason     string `json:"reason"`
}

func requiresAnnotations(v *catalog.Version, repo catalog.Repository) (map[string]string, error) {
	if len(v.Requires) == 0 {
		return nil, nil
	}
	var list []needed
	for _, r := range v.Requires {
		list = append(list, needed{repo.FullName(r.Package), r.Constraint, r.Optional, strings.TrimSpace(r.Reason)})
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // ranges are full of < and >
	if err := encoder.Encode(list); err != nil {
		return nil, fmt.Errorf("printing requires: %w", err)
	}
	return map[string]string{requiresAnnotation: strings.TrimSpace(text.String())}, nil
}

// requirements are what people read before they install: the capacity that is
// asked of a cluster and, below it, the other packages. kctrl shows this text
// of a version and no annotation.
func requirements(v *catalog.Version, repo catalog.Repository) string {
	text := v.Capacity
	for _, part := range []struct {
		optional bool
		head     string
	}{{false, "Requires these packages on the cluster first:"}, {true, "Uses these packages where its values say so:"}} {
		lines := []string{part.head}
		for _, r := range v.Requires {
			if r.Optional == part.optional {
				lines = append(lines, fmt.Sprintf("- %s %s: %s", repo.FullName(r.Package), r.Constraint, strings.TrimSpace(r.Reason)))
			}
		}
		if len(lines) > 1 {
			text = strings.TrimLeft(strings.TrimRight(text, "\n")+"\n\n", "\n") + strings.Join(lines, "\n") + "\n"
		}
	}
	return text
}
