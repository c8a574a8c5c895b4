package environment

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// RuleMissingObject is for an object that others name and that the environment neither
// renders nor declares.
const RuleMissingObject = "missing-object"

// Kinds that other objects name.
const (
	SecretKind    = "Secret"
	ConfigMapKind = "ConfigMap"

	accountKind = "ServiceAccount"
	roleKind    = "Role"
	clusterKind = "ClusterRole"
	priority    = "PriorityClass"
	storage     = "StorageClass"
	ingress     = "IngressClass"
	gateway     = "GatewayClass"
	issuer      = "Issuer"
	anyIssuer   = "ClusterIssuer"
)

// fetchAnnotation names, on a PackageInstall, the Secret by which its bundle is fetched.
const fetchAnnotation = "ext.packaging.carvel.dev/fetch-0-secret-name"

// Reference is an object that another one names.
type Reference struct {
	// Kind is without its API group: no two kinds here have the same name.
	Kind, Namespace, Name string
	// Joined tells of a Name that is NAMESPACE-NAME, which cannot be taken apart.
	Joined bool
}

// String is the reference as people name objects: "Secret keda/registry-credentials".
func (r Reference) String() string {
	return r.Kind + " " + strings.TrimPrefix(r.Namespace+"/"+r.Name, "/")
}

// Missing is an object that objects of an environment name and that none of them is or
// makes.
type Missing struct {
	Reference
	// Package is the first one whose objects name it, and For are these objects of all
	// packages, as [manifest.Object.ID] has them, sorted.
	Package string
	For     []string
}

// MissingObjects are the objects that those of the packages name, and that neither they,
// nor the objects of others, are or make. They are sorted by namespace, kind and name.
// Only names are looked at that are certain: fields of Kubernetes' own kinds and of those
// that follow them, and texts that the packages declare. Optional references do not count.
func MissingObjects(packages []Package, others ...manifest.Object) ([]Missing, error) {
	there, created := map[Reference]bool{}, map[Reference]bool{}
	provide := func(objects []manifest.Object) {
		for _, o := range objects {
			for _, r := range made(o) {
				there[r] = true
				there[Reference{Kind: r.Kind, Name: r.Namespace + "-" + r.Name, Joined: true}] = true
			}
		}
	}
	provide(others)
	for _, p := range packages {
		provide(p.Objects)
		for _, c := range p.Version.Package.Creates {
			created[Reference{Kind: c.Kind, Name: c.Name}] = true
		}
	}
	named := map[Reference]*Missing{}
	for _, p := range packages {
		texts, err := textsOf(p.Version.Package)
		if err != nil {
			return nil, err
		}
		for _, o := range p.Objects {
			for _, r := range append(references(o), texts.in(o)...) {
				if there[r] || created[Reference{Kind: r.Kind, Name: r.Name}] || builtIn(r) {
					continue
				}
				if named[r] == nil {
					named[r] = &Missing{Reference: r, Package: p.Name()}
				}
				named[r].For = append(named[r].For, o.ID())
			}
		}
	}
	var missing []Missing
	for _, m := range named {
		slices.Sort(m.For)
		m.For = slices.Compact(m.For)
		missing = append(missing, *m)
	}
	slices.SortFunc(missing, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return missing, nil
}

// made are the objects that come with one: itself, and what cert-manager keeps a
// certificate in.
func made(o manifest.Object) []Reference {
	gvk := o.GroupVersionKind()
	list := []Reference{{Kind: gvk.Kind, Namespace: o.GetNamespace(), Name: o.GetName()}}
	if gvk.Group == "cert-manager.io" && gvk.Kind == "Certificate" {
		for _, r := range references(o) {
			if r.Kind == SecretKind {
				list = append(list, r)
			}
		}
	}
	return list
}

// builtIn tells of objects that every cluster has, in every namespace where they have one.
func builtIn(r Reference) bool {
	switch r.Kind {
	case accountKind:
		return r.Name == "default"
	case ConfigMapKind:
		return r.Name == "kube-root-ca.crt" || r.Namespace == "kube-system" && r.Name == "extension-apiserver-authentication"
	case priority:
		return strings.HasPrefix(r.Name, "system-")
	case roleKind:
		return r.Namespace == "kube-system" && r.Name == "extension-apiserver-authentication-reader"
	case clusterKind:
		return strings.HasPrefix(r.Name, "system:") || slices.Contains([]string{"cluster-admin", "admin", "edit", "view"}, r.Name)
	}
	return false
}

// referring are the fields by which Kubernetes' own kinds, and those that follow them,
// name an object of a kind: as a text, or in the field name of an object or of each
// object in a list.
func referring() map[string]string {
	return map[string]string{
		"secretName": SecretKind, "secret": SecretKind, "secretRef": SecretKind, "secretKeyRef": SecretKind,
		"imagePullSecrets": SecretKind, "certificateRefs": SecretKind,
		"configMap": ConfigMapKind, "configMapRef": ConfigMapKind, "configMapKeyRef": ConfigMapKind,
		"serviceAccountName": accountKind, "priorityClassName": priority, "storageClassName": storage,
		"ingressClassName": ingress, "gatewayClassName": gateway,
		"roleRef": "", "issuerRef": issuer, // the reference itself has the kind
	}
}

// inAllNamespaces are the kinds without a namespace.
func inAllNamespaces(kind string) bool {
	return slices.Contains([]string{priority, storage, ingress, gateway, anyIssuer, clusterKind}, kind)
}

// references are what an object names. The schemas of CRDs name nothing, and the keys of
// data are nobody's fields.
func references(o manifest.Object) []Reference {
	if slices.Contains([]string{"CustomResourceDefinition", SecretKind, ConfigMapKind}, o.GetKind()) {
		return nil
	}
	w := walk{namespace: o.GetNamespace(), fields: referring()}
	if secret := o.GetAnnotations()[fetchAnnotation]; secret != "" && o.GetKind() == "PackageInstall" {
		w.note(SecretKind, secret)
	}
	fields := maps.Clone(o.Object)
	delete(fields, "metadata")
	delete(fields, "status")
	w.into(fields)
	return w.found
}

// walk gathers references of one object.
type walk struct {
	namespace string
	fields    map[string]string
	found     []Reference
}

func (w *walk) into(value any) {
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			w.into(item)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if kind, refers := w.fields[key]; refers && value["optional"] != true {
				w.note(kind, value[key])
			}
			w.into(value[key])
		}
	}
}

// note takes one reference, or a list of them.
func (w *walk) note(kind string, value any) {
	switch value := value.(type) {
	case string:
		if value != "" && kind != "" { // an empty storageClassName asks for none
			w.add(kind, w.namespace, value)
		}
	case []any:
		for _, item := range value {
			w.note(kind, item)
		}
	case map[string]any:
		name, _ := value["name"].(string)
		if name == "" || value["optional"] == true {
			return
		}
		namespace, _ := value["namespace"].(string)
		if own, _ := value["kind"].(string); own != "" {
			if kind = own; !slices.Contains([]string{roleKind, clusterKind, issuer, anyIssuer, SecretKind, ConfigMapKind}, kind) {
				return // an issuer or a source of another kind
			}
		}
		if group, _ := value["group"].(string); group != "" && group != "cert-manager.io" && (kind == issuer || kind == anyIssuer) {
			return
		}
		if kind != "" {
			w.add(kind, cmp.Or(namespace, w.namespace), name)
		}
	}
}

func (w *walk) add(kind, namespace, name string) {
	if inAllNamespaces(kind) {
		namespace = ""
	}
	w.found = append(w.found, Reference{Kind: kind, Namespace: namespace, Name: name})
}

// texts are the patterns of a package for texts that name objects.
type texts []text

type text struct {
	kind    string
	pattern *regexp.Regexp
}

func textsOf(p *catalog.Package) (texts, error) {
	var list texts
	for _, r := range p.References {
		pattern, err := regexp.Compile(r.Pattern)
		if err != nil {
			return nil, fmt.Errorf("reading references of %s: %w", p.Name, err)
		}
		list = append(list, text{r.Kind, pattern})
	}
	return list, nil
}

// in are what the texts of an object name. The groups of a pattern are namespace, name and
// joined, which is NAMESPACE-NAME; without a namespace it is the object's.
func (list texts) in(o manifest.Object) []Reference {
	if len(list) == 0 || o.GetKind() == "CustomResourceDefinition" {
		return nil
	}
	var found []Reference
	manifest.EachText(o.Object, func(value string) {
		for _, t := range list {
			for _, match := range t.pattern.FindAllStringSubmatch(value, -1) {
				group := func(name string) string {
					if i := t.pattern.SubexpIndex(name); i >= 0 {
						return match[i]
					}
					return ""
				}
				w := walk{}
				if joined := group("joined"); joined != "" {
					found = append(found, Reference{Kind: t.kind, Name: joined, Joined: true})
				} else if name := group("name"); name != "" {
					w.add(t.kind, cmp.Or(group("namespace"), o.GetNamespace()), name)
				}
				found = append(found, w.found...)
			}
		}
	})
	return found
}

// missingObjects has a finding for each object that is missing and that the environment
// does not declare. With a package that does not render, that cannot be told.
func missingObjects(e *catalog.Environment, packages []Package, others []manifest.Object) ([]Finding, error) {
	if slices.ContainsFunc(packages, func(p Package) bool { return p.Objects == nil }) {
		return nil, nil
	}
	declared := map[Reference]bool{}
	for _, o := range e.Objects {
		declared[Reference{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name}] = true
		declared[Reference{Kind: o.Kind, Name: o.Namespace + "-" + o.Name, Joined: true}] = true
	}
	missing, err := MissingObjects(packages, others...)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, m := range missing {
		if declared[m.Reference] {
			continue
		}
		who := m.For[0] + " refers"
		if more := len(m.For) - 1; more > 0 {
			who = fmt.Sprintf("%s and %d more refer", m.For[0], more)
		}
		findings = append(findings, Finding{m.Package, m.String(), RuleMissingObject, fmt.Sprintf(
			"%s to it, but no package renders it; correct the name, render it with an overlay, or, if others create it, add it to objects in config/%s/%s",
			who, e.Name, catalog.EnvironmentFile)})
	}
	return findings, nil
}
