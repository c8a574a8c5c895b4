package rbac

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// parameters are the names in the template's functions, by the text that stands
// for each while objects are made. No text is a part of another.
func parameters() map[string]string {
	return map[string]string{
		"STRAKE_ACCOUNT":   "account",
		"STRAKE_NAMESPACE": "namespace",
		"STRAKE_INSTALL":   "install",
		ThisNamespace:      "package_namespace",
		NamedNamespace:     "other_namespace",
	}
}

// NamespaceOf stands for the namespace that the values of a package give to one that it
// installs.
func NamespaceOf(installed string) string { return namespaceOf + installed }

const namespaceOf = "STRAKE_NAMESPACE_OF_"

var ofInstalled = regexp.MustCompile(namespaceOf + `([a-z0-9-]+)`)

// Anybody is the account of which all is a parameter: [Library] makes functions
// of the objects that are made for it.
func Anybody() Account {
	return Account{
		Name: "STRAKE_ACCOUNT", Namespace: "STRAKE_NAMESPACE", Install: "STRAKE_INSTALL",
		PackageNamespace: ThisNamespace, OtherNamespaces: []string{NamedNamespace},
	}
}

// Template makes the ytt files, by name, that give rights to an account of
// anybody's choice: installer.lib.yml with functions, schema.yml with the values
// that a person sets, and rbac.yml, which calls the functions with these. The
// package's name is the install's unless somebody says otherwise, and the
// namespace its own by default; empty where it cannot be chosen. schema.yml takes the
// schema of the package's values from the function values() of values.lib.yml.
func Template(name, own string, profiles []Profile) (map[string][]byte, error) {
	lib, err := Library(name, profiles)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		"installer.lib.yml": lib,
		"schema.yml":        fmt.Appendf(nil, schemaText, name, own),
		"rbac.yml":          []byte(callText),
	}, nil
}

func cut(all []manifest.Object, match func(manifest.Object) bool) (yes, no []manifest.Object) {
	for _, o := range all {
		if match(o) {
			yes = append(yes, o)
		} else {
			no = append(no, o)
		}
	}
	return yes, no
}

// Library makes installer.lib.yml of [Template].
func Library(name string, profiles []Profile) ([]byte, error) {
	var namespaces []manifest.Object
	var body bytes.Buffer
	for _, p := range profiles {
		all, err := p.Objects(Anybody())
		if err != nil {
			return nil, err
		}
		made, roles := cut(all, func(o manifest.Object) bool { return o.GetKind() == "Namespace" })
		namespaces = append(namespaces, made...)
		if err := writeProfile(&body, p, roles); err != nil {
			return nil, err
		}
	}
	return fmt.Appendf(nil, libraryText, name, names(namespaces), body.Bytes()), nil
}

// writeProfile writes the roles of a profile under its condition.
func writeProfile(out *bytes.Buffer, p Profile, roles []manifest.Object) error {
	if p.When != "" {
		fmt.Fprintf(out, "#@ if %s:\n", p.When)
	}
	named, rest := cut(roles, func(o manifest.Object) bool { return o.GetNamespace() == NamedNamespace })
	if err := parametrized(out, rest); err != nil {
		return err
	}
	if len(named) > 0 {
		given := "other_namespaces"
		if p.Namespaces != "" {
			given = fmt.Sprintf("[name for name in other_namespaces if name in list(%s)]", p.Namespaces)
		}
		fmt.Fprintf(out, "#@ for other_namespace in %s:\n", given)
		if err := parametrized(out, named); err != nil {
			return err
		}
		fmt.Fprintf(out, "#@ end\n")
	}
	if p.When != "" {
		fmt.Fprintf(out, "#@ end\n")
	}
	return nil
}

// names are those of objects as a list's elements.
func names(objects []manifest.Object) string {
	var list []string
	for _, o := range objects {
		list = append(list, expression(o.GetName()))
	}
	return strings.Join(list, ", ")
}

// token finds, in a line of YAML, a plain text that holds a parameter.
var token = regexp.MustCompile(`(?m)^(\s*(?:- )*(?:\w+: )?)(\S*STRAKE_[A-Z_]+\S*)$`)

// parametrized writes objects with ytt's expressions in the place of parameters.
func parametrized(out *bytes.Buffer, objects []manifest.Object) error {
	var text bytes.Buffer
	if err := manifest.Encode(&text, objects); err != nil {
		return err
	}
	out.Write(token.ReplaceAllFunc(text.Bytes(), func(line []byte) []byte {
		parts := token.FindSubmatch(line)
		return fmt.Appendf(nil, "%s#@ %s", parts[1], expression(string(parts[2])))
	}))
	return nil
}

// expression is a text with parameters in it as Starlark.
func expression(text string) string {
	names := parameters()
	text = ofInstalled.ReplaceAllString(text, "\x00getattr(values.packages, \"$1\").values.namespace\x00")
	for _, place := range slices.Sorted(maps.Keys(names)) {
		text = strings.ReplaceAll(text, place, "\x00"+names[place]+"\x00")
	}
	var terms []string
	for i, part := range strings.Split(text, "\x00") {
		if i%2 == 1 {
			terms = append(terms, part)
		} else if part != "" {
			terms = append(terms, fmt.Sprintf("%q", part))
		}
	}
	return strings.Join(terms, " + ")
}

const libraryText = `#! The permissions to install, upgrade and delete %[1]s, derived from the objects that
#! it renders to with the values of its permission profiles.
#!
#! namespaces() are the names of the namespaces that belong to the package: they must
#! exist before the roles, and belong to the package once it is installed.
#! installer() is the account with its roles and bindings. values are the values of the
#! package, which decide about profiles; other_namespaces are namespaces that the values
#! name beside the package's own.

#@ def namespaces(package_namespace, values):
#@   return [%[2]s]
#@ end

#@ def installer(account, namespace, package_namespace, values, install=%[1]q, other_namespaces=[]):
%[3]s#@ end
`

const schemaText = `#@ load("@ytt:template", "template")
#@ load("values.lib.yml", "values")
#@data/values-schema
---
#@schema/desc "Name of the ServiceAccount that the PackageInstall names."
account: %[1]s-installer
#@schema/desc "Namespace of the PackageInstall and of the account."
namespace: packages
#@schema/desc "Name of the PackageInstall."
install: %[1]s
#@schema/desc "Namespace that the package is installed into."
packageNamespace: %[2]q
#@schema/desc "Further namespaces that the package's values name."
otherNamespaces:
- ""
#! The values of the package that decide about its permissions.
_: #@ template.replace(values())
`

const callText = `#@ load("@ytt:data", "data")
#@ load("@ytt:template", "template")
#@ load("installer.lib.yml", "installer", "namespaces")
#@ for name in namespaces(data.values.packageNamespace, data.values.values):
---
apiVersion: v1
kind: Namespace
metadata:
  name: #@ name
  annotations:
    ` + NamespaceAnnotation + `: #@ data.values.install
#@ end
--- #@ template.replace(installer(data.values.account, data.values.namespace, data.values.packageNamespace, data.values.values, data.values.install, data.values.otherNamespaces))
`
