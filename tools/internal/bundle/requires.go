package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	kappctrl "github.com/vmware-tanzu/carvel-kapp-controller/pkg/apis/kappctrl/v1alpha1"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// Values that kapp-controller fills with the group versions that the cluster serves and
// with the namespace of the PackageInstall. Without kapp-controller, they are null.
const (
	apisValue      = "strake.apis"
	namespaceValue = "strake.namespace"
)

// requiresAnnotation holds a version's needs as JSON, for programs.
const requiresAnnotation = "strake.dev/requires"

// askedAPIs are the needs that are checked on the cluster before anything is
// deployed, some of them if the values meet a condition.
func askedAPIs(v *catalog.Version) []catalog.Requirement {
	var asked []catalog.Requirement
	for _, r := range v.Requires {
		if r.API != "" && (!r.Optional || r.When != "") {
			asked = append(asked, r)
		}
	}
	return asked
}

// clusterChecks are the checks of an install that need to know the cluster.
type clusterChecks struct {
	// apis are the needs to compare with what the cluster serves.
	apis []catalog.Requirement
	// namespace says that the package creates its namespace, unless createNamespace is false.
	namespace bool
}

func clusterChecksOf(v *catalog.Version, schema []byte) clusterChecks {
	own, leaves := ownNamespace(schema)
	return clusterChecks{askedAPIs(v), own != "" && leaves}
}

func (c clusterChecks) empty() bool { return len(c.apis) == 0 && !c.namespace }

// schema declares the values that kapp-controller fills, and refuses what the install
// cannot be: one without an API that it requires, or one that would own, and later
// delete, the namespace of all PackageInstalls. So it fails with the reason, as for any
// wrong value, before objects go out. It stands among the upstream's files since these
// are no values for users: they come after the package's own schema and stay out of the
// Package's.
func (c clusterChecks) schema(repo catalog.Repository) []byte {
	var text strings.Builder
	text.WriteString("#! Made from requires of version.yml.\n#@data/values-schema\n#@overlay/match-child-defaults missing_ok=True\n---\nstrake:\n")
	if c.namespace {
		text.WriteString(namespaceSchema)
	}
	var rules []string
	for _, r := range c.apis {
		if r.When == "" {
			rules = append(rules, fmt.Sprintf("(%q, lambda apis: any([api == %q for api in apis]))", with(r, repo), r.API))
		}
	}
	if len(c.apis) > 0 {
		text.WriteString("  #@schema/nullable\n")
	}
	if len(rules) > 0 {
		fmt.Fprintf(&text, "  #@schema/validation %s\n", strings.Join(rules, ", "))
	}
	if len(c.apis) > 0 {
		text.WriteString("  apis:\n  - \"\"\n")
	}
	return []byte(text.String())
}

// with says what the cluster must be, in the words that follow "must be".
func with(r catalog.Requirement, repo catalog.Repository) string {
	return fmt.Sprintf("with %s, which %s %s serves; install that first (%s)", r.API, repo.FullName(r.Package), r.Constraint, strings.TrimSpace(r.Reason))
}

// conditional is a template that refuses an install whose values ask for an API that the
// cluster does not serve; nil without such needs. A validation of the schema cannot read
// other values as a condition does.
func (c clusterChecks) conditional(repo catalog.Repository) []byte {
	var text strings.Builder
	for _, r := range c.apis {
		if r.When != "" {
			fmt.Fprintf(&text, "#@ if apis != None and (%s) and not any([api == %q for api in apis]):\n#@   assert.fail(%q)\n#@ end\n",
				r.When, r.API, "The values require a cluster "+with(r, repo))
		}
	}
	if text.Len() == 0 {
		return nil
	}
	return []byte("#! Made from requires of version.yml.\n#@ load(\"@ytt:assert\", \"assert\")\n#@ load(\"@ytt:data\", \"data\")\n" +
		"#@ values, apis = data.values, data.values.strake.apis\n" + text.String())
}

const namespaceSchema = `  #@schema/nullable
  #@schema/validation ("different from the value namespace, because the package deletes the namespace that it creates, and the PackageInstalls in it; choose another namespace, or set createNamespace to false", lambda own: False), when=lambda own, ctx: ctx.root["createNamespace"] and ctx.root["namespace"] == own
  namespace: ""
`

// sources make kapp-controller give ytt the values of the schema.
func (c clusterChecks) sources() []kappctrl.AppTemplateValuesSource {
	var items []kappctrl.AppTemplateValuesDownwardAPIItem
	if c.namespace {
		items = append(items, kappctrl.AppTemplateValuesDownwardAPIItem{Name: namespaceValue, FieldPath: "metadata.namespace"})
	}
	if len(c.apis) > 0 {
		items = append(items, kappctrl.AppTemplateValuesDownwardAPIItem{Name: apisValue, KubernetesAPIs: &kappctrl.KubernetesAPIs{}})
	}
	return []kappctrl.AppTemplateValuesSource{{DownwardAPI: &kappctrl.AppTemplateValuesDownwardAPI{Items: items}}}
}

// needed is one need as the annotation holds it.
type needed struct {
	Package    string `json:"package"`
	Constraint string `json:"constraint"`
	Optional   bool   `json:"optional,omitempty"`
	When       string `json:"when,omitempty"`
	Reason     string `json:"reason"`
}

func requiresAnnotations(v *catalog.Version, repo catalog.Repository) (map[string]string, error) {
	if len(v.Requires) == 0 {
		return nil, nil
	}
	var list []needed
	for _, r := range v.Requires {
		list = append(list, needed{repo.FullName(r.Package), r.Constraint, r.Optional, r.When, strings.TrimSpace(r.Reason)})
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
