package install

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestLabelled(t *testing.T) {
	p := Package{Name: "boat", Namespace: "packages", Rights: []*unstructured.Unstructured{
		parse(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: harbour}"),
		parse(t, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: boat-installer, namespace: packages}"),
	}}
	rights := p.labelled()
	require.Empty(t, rights[0].GetLabels(), "a namespace goes with the package, not with the account's rights")
	require.Equal(t, "packages.boat", rights[1].GetLabels()[installLabel])
	require.Empty(t, p.Rights[1].GetLabels(), "what was given stays as it is")
}

func TestAddRules(t *testing.T) {
	const head = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r}\n"
	role := parse(t, head+"rules: [{verbs: [get], resources: [pods]}]")
	addRules(role, parse(t, head+"rules: [{verbs: [get], resources: [pods]}, {verbs: [list], resources: [jobs]}]"))
	require.Equal(t, parse(t, head+"rules: [{verbs: [get], resources: [pods]}, {verbs: [list], resources: [jobs]}]"), role)

	account := parse(t, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}")
	addRules(account, role)
	require.NotContains(t, account.Object, "rules")
}
