package names

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNear(t *testing.T) {
	packages := []string{"cert-manager", "dapr", "flux", "keda", "knative-eventing", "knative-serving", "opentelemetry-collector", "opentelemetry-operator"}
	for _, test := range []struct {
		name  string
		known []string
		want  []string
	}{
		{"kada", packages, []string{"keda"}},
		{"kdea", packages, []string{"keda"}},
		{"kda", packages, []string{"keda"}},
		{"KEDA", packages, []string{"keda"}},
		{"certmanager", packages, []string{"cert-manager"}},
		{"knative-servig", packages, []string{"knative-serving"}},
		{"knative", packages, []string{"knative-eventing", "knative-serving"}},
		{"operator", packages, []string{"opentelemetry-operator"}},
		{"postgres", packages, nil},
		{"x", packages, nil},
		{"", packages, nil},
		{"keda", nil, nil},
		{"v2.21.0", []string{"2.20.2", "2.21.0"}, []string{"2.21.0"}},
		{"2.21.0-strake.2", []string{"2.21.0", "2.21.0+strake.2"}, []string{"2.21.0+strake.2"}},
		{"aa", []string{"ab", "ac", "ad", "ae"}, nil},
		{"prd", []string{"airgapped", "dev", "prod", "staging"}, []string{"prod"}},
	} {
		t.Run(test.name, func(t *testing.T) { require.Equal(t, test.want, Near(test.name, test.known)) })
	}
}

func TestHint(t *testing.T) {
	known := []string{"dapr", "keda", "kedb"}
	require.Equal(t, "did you mean dapr?", Hint("dpr", known))
	require.Equal(t, "did you mean keda or kedb?", Hint("kedc", known))
	require.Equal(t, "known: dapr, keda, kedb", Hint("postgres", known))
	require.Equal(t, "there are none", Hint("x", nil))
}

func TestUnknown(t *testing.T) {
	err := fmt.Errorf("reading values: %w", Unknownf("no package %q; %s", "kada", Hint("kada", []string{"keda"})))
	require.EqualError(t, err, `reading values: no package "kada"; did you mean keda?`)
	var unknown *UnknownError
	require.ErrorAs(t, err, &unknown)
}
