package bundle_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

const readerText = `#@ load("@ytt:data", "data")
#@ for namespace in data.values.watched:
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: reader
  namespace: #@ namespace
#@ end
#@ if data.values.secrets:
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: reader
rules:
- apiGroups: [""]
  resources: [secrets]
  verbs: [list]
#@ end
`

// watching is the demo package with a value that names further namespaces, one that
// makes it read all secrets, and permission profiles.
func watching(t *testing.T, profiles ...*catalog.Profile) *catalog.Version {
	t.Helper()
	v := newVersion(t, map[string]string{
		"schema.yml": schemaText + "#@schema/desc \"Namespace\"\nnamespace: demo\n#@schema/desc \"Watched\"\nwatched:\n- \"\"\n#@schema/desc \"Secrets\"\nsecrets: true\n",
		"reader.yml": readerText,
	})
	v.Package.Profiles = profiles
	return v
}

func profile(name, when string, values ...map[string]any) *catalog.Profile {
	return &catalog.Profile{Name: name, File: "packages/demo/permissions/" + name + ".yml", Reason: "It is so.", When: when, Values: values}
}

type values = map[string]any

func ids(objects []manifest.Object) []string {
	var list []string
	for _, o := range objects {
		list = append(list, o.ID())
	}
	return list
}

func TestShippedRights(t *testing.T) {
	b := build(t, watching(t,
		profile("base", "", values{"secrets": false}, values{"secrets": false, "watched": []any{"sea", "lake"}}),
		profile("read-secrets", "values.secrets", values{"secrets": true})))
	require.Contains(t, b.Files, "rbac/installer.lib.yml")
	shipped := func(values string, a bundle.Account) []string {
		objects, err := bundle.ShippedRights(context.Background(), b, text(values), a)
		require.NoError(t, err)
		return ids(objects)
	}
	base := []string{
		"ServiceAccount packages/demo-installer",
		"Role.rbac.authorization.k8s.io packages/packages:demo-installer:record",
		"RoleBinding.rbac.authorization.k8s.io packages/packages:demo-installer:record",
		"ClusterRole.rbac.authorization.k8s.io packages:demo-installer:cluster",
		"ClusterRoleBinding.rbac.authorization.k8s.io packages:demo-installer:cluster",
		"Role.rbac.authorization.k8s.io demo/packages:demo-installer:package",
		"RoleBinding.rbac.authorization.k8s.io demo/packages:demo-installer:package",
	}
	require.Equal(t, base, shipped("secrets: false", bundle.Account{Namespace: "packages"}))
	require.Equal(t, append(base,
		"ClusterRole.rbac.authorization.k8s.io packages:demo-installer:cluster-held:read-secrets",
		"ClusterRoleBinding.rbac.authorization.k8s.io packages:demo-installer:cluster-held:read-secrets",
	), shipped("", bundle.Account{Namespace: "packages"}), "the default values meet the condition")

	elsewhere := shipped("watched: [sea, pond]", bundle.Account{
		Name: "x", Namespace: "apps", PackageNamespace: "elsewhere", OtherNamespaces: []string{"sea", "pond"},
	})
	require.Subset(t, elsewhere, []string{
		"Role.rbac.authorization.k8s.io sea/apps:x:other", "Role.rbac.authorization.k8s.io pond/apps:x:other",
	})
	require.NotContains(t, elsewhere, "Role.rbac.authorization.k8s.io demo/apps:x:package",
		"the upstream's objects stay in demo: an overlay would have to move them")

	_, err := bundle.ShippedRights(context.Background(), b, text("wached: [sea]"), bundle.Account{Namespace: "packages"})
	require.ErrorContains(t, err, "wached")
}

func TestProfilesThatAreRefused(t *testing.T) {
	quiet := values{"secrets": false}
	for name, test := range map[string]struct {
		profiles []*catalog.Profile
		want     string
	}{
		"base escalates":     {[]*catalog.Profile{profile("base", "")}, "permissions/base.yml: its values need permissions that escalate"},
		"values are refused": {[]*catalog.Profile{profile("base", "", quiet), profile("x", "values.secrets", values{"sekrets": true})}, "permissions/x.yml: ytt: "},
		"nothing more":       {[]*catalog.Profile{profile("base", "", quiet), profile("x", "values.secrets", values{"replicas": 2})}, "permissions/x.yml: its values need no more permissions"},
		"nothing escalates":  {[]*catalog.Profile{profile("base", "", quiet), profile("x", "")}, "permissions/x.yml: its values need no more permissions"},
		"wrong condition":    {[]*catalog.Profile{profile("base", "", quiet), profile("x", "values.sekrets", values{"secrets": true})}, "sekrets"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bundle.Build(context.Background(), watching(t, test.profiles...), repo(), objects(t, upstream))
			require.ErrorContains(t, err, test.want)
		})
	}
}

// A package without a value that could take a permission away says why it has it.
func TestUnconditionalProfile(t *testing.T) {
	b := build(t, watching(t, profile("base", ""), profile("reader", "")))
	require.Equal(t, []string{"", "reader"}, []string{b.Profiles[0].Name, b.Profiles[1].Name})
	require.Empty(t, b.Profiles[0].Escalations)
	require.Equal(t, []string{"reads or writes secrets of all namespaces: list secrets in all namespaces"}, b.Profiles[1].Escalations)
}

func TestExactRights(t *testing.T) {
	b := build(t, watching(t))
	objects, err := bundle.ExactRights(context.Background(), b, text("watched: [sea]"), bundle.Account{Namespace: "packages"})
	require.NoError(t, err)
	require.Contains(t, ids(objects), "Role.rbac.authorization.k8s.io sea/packages:demo-installer:fixed")
	_, err = bundle.ExactRights(context.Background(), b, text("wached: [sea]"), bundle.Account{Namespace: "packages"})
	require.ErrorContains(t, err, "wached")
}

// Render cases are tests: they decide nothing that is shipped.
func TestCasesShipNothing(t *testing.T) {
	v := watching(t)
	file := filepath.Join(v.Package.Dir, "test", "watch", "values.yml")
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte("watched: [sea]"), 0o644))
	require.Equal(t, build(t, watching(t)).Digest, build(t, v).Digest)
}
