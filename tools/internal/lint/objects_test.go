package lint

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSecretsWithData(t *testing.T) {
	findings := secretsWithData(toList(
		object(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: full, namespace: harbour}\ndata: {tls.key: eA==}\nstringData: {pin: '1'}\n"),
		object(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: empty}\ndata: {}\n"),
		object(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata: {a: b}\n"),
		object(t, "apiVersion: example.com/v1\nkind: Secret\nmetadata: {name: other}\ndata: {a: b}\n"),
	))
	require.Len(t, findings, 1)
	require.Equal(t, "Secret harbour/full", findings[0].Object)
	require.Equal(t, 7, findings[0].Line)
	require.Contains(t, findings[0].Message, `ships with data["tls.key"], stringData["pin"]`)
}

func TestIntoNs(t *testing.T) {
	deploy := func(kapp map[string]any) map[string]any {
		return map[string]any{"spec": map[string]any{"template": map[string]any{"spec": map[string]any{
			"deploy": []any{map[string]any{"kapp": kapp}}}}}}
	}
	here := object(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: here}\n")
	there := object(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: there}\n")
	everywhere := object(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: there}\n")

	for name, kapp := range map[string]map[string]any{
		"field":         {"intoNs": "here"},
		"flag":          {"rawOptions": []any{"--into-ns=here"}},
		"flag in parts": {"rawOptions": []any{"--into-ns", "here"}},
	} {
		findings := intoNs(deploy(kapp), toList(here, there, everywhere))
		require.Equal(t, []string{"kapp puts all objects into here, but they are for here, there"}, messages(findings), name)
		require.Empty(t, intoNs(deploy(kapp), toList(here, everywhere)), name)
	}
	require.Empty(t, intoNs(deploy(map[string]any{"rawOptions": []any{"--wait-timeout=1m"}}), toList(here, there)))
}
