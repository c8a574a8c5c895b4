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
`

// watching is the demo package with a value that names further namespaces, and
// with cases.
func watching(t *testing.T, cases map[string]string) *catalog.Version {
	t.Helper()
	v := newVersion(t, map[string]string{
		"schema.yml": schemaText + "#@schema/desc \"Namespace\"\nnamespace: demo\n#@schema/desc \"Watched\"\nwatched:\n- \"\"\n",
		"reader.yml": readerText,
	})
	for name, text := range cases {
		file := filepath.Join(v.Package.Dir, "test", filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return v
}

func ids(objects []manifest.Object) []string {
	var list []string
	for _, o := range objects {
		list = append(list, o.ID())
	}
	return list
}

func TestShippedRightsCoverTheCases(t *testing.T) {
	v := watching(t, map[string]string{
		"watch/values.yml":      "watched: [sea, lake]",
		"wrong/values.yml":      "watched: 1", // another version's, so to say
		"error-x/values.yml":    "watched: [none]",
		"error-x/error.txt":     "x",
		"much/values.yml":       "watched: [none]",
		"much/own-rights":       "too much",
		"elsewhere/values.yml":  "watched: [none]",
		"elsewhere/version":     "0.9.0",
		"of-this/values.yml":    "watched: [pond]",
		"of-this/version":       "1.0.0\n",
		"default/expected.yml":  "",
		"also-none/values.yml":  "",
		"also-none/objects.yml": "[]",
	})
	cases, err := bundle.Cases(v)
	require.NoError(t, err)
	require.Len(t, cases, 5, "%v", cases)

	b := build(t, v)
	require.Contains(t, b.Files, "rbac/installer.lib.yml")
	objects, err := bundle.ShippedRights(context.Background(), b, bundle.Account{Namespace: "packages"})
	require.NoError(t, err)
	require.Equal(t, []string{
		"ServiceAccount packages/demo-installer",
		"Role.rbac.authorization.k8s.io packages/packages:demo-installer:record",
		"RoleBinding.rbac.authorization.k8s.io packages/packages:demo-installer:record",
		"ClusterRole.rbac.authorization.k8s.io packages:demo-installer:cluster",
		"ClusterRoleBinding.rbac.authorization.k8s.io packages:demo-installer:cluster",
		"Role.rbac.authorization.k8s.io demo/packages:demo-installer:package",
		"RoleBinding.rbac.authorization.k8s.io demo/packages:demo-installer:package",
	}, ids(objects))

	objects, err = bundle.ShippedRights(context.Background(), b, bundle.Account{
		Name: "x", Namespace: "apps", PackageNamespace: "elsewhere", OtherNamespaces: []string{"sea", "pond"},
	})
	require.NoError(t, err)
	require.Subset(t, ids(objects), []string{
		"Role.rbac.authorization.k8s.io sea/apps:x:other", "Role.rbac.authorization.k8s.io pond/apps:x:other",
	})
	require.NotContains(t, ids(objects), "Role.rbac.authorization.k8s.io demo/apps:x:package",
		"the upstream's objects stay in demo: an overlay would have to move them")
}

func TestExactRights(t *testing.T) {
	b := build(t, watching(t, nil))
	objects, err := bundle.ExactRights(context.Background(), b, []byte("watched: [sea]"), bundle.Account{Namespace: "packages"})
	require.NoError(t, err)
	require.Contains(t, ids(objects), "Role.rbac.authorization.k8s.io sea/packages:demo-installer:fixed")
	_, err = bundle.ExactRights(context.Background(), b, []byte("wached: [sea]"), bundle.Account{Namespace: "packages"})
	require.ErrorContains(t, err, "wached")
}

// Beside the values alone nothing decides what is shipped.
func TestShippedRightsAreDeterministic(t *testing.T) {
	cases := map[string]string{"a/values.yml": "watched: [sea]", "b/values.yml": "watched: [lake]"}
	one, two := build(t, watching(t, cases)), build(t, watching(t, map[string]string{"z/values.yml": "watched: [pond]"}))
	for _, file := range []string{"rbac/installer.lib.yml", "rbac/schema.yml", "rbac/rbac.yml"} {
		require.Equal(t, string(one.Files[file]), string(two.Files[file]), file)
	}
}
