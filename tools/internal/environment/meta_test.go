package environment

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCheckMetadata: kinds that the API server knows are validated by its own code.
func TestCheckMetadata(t *testing.T) {
	for name, test := range map[string]struct{ metadata, want string }{
		"fine":      {`{name: a.b, namespace: sea, labels: {a/b: c}}`, ""},
		"name":      {`{name: Boat, namespace: sea}`, `metadata.name: Invalid value: "Boat"`},
		"namespace": {`{name: boat, namespace: The Sea}`, "metadata.namespace: Invalid value"},
		"label":     {`{name: boat, labels: {released: ` + strings.Repeat("x", 87) + `}}`, "metadata.labels: Invalid value"},
	} {
		t.Run(name, func(t *testing.T) {
			var found []string
			checkMetadata(objectsOf(t, `{apiVersion: boats.example/v1, kind: Boat, metadata: `+test.metadata+`}`)[0], func(rule, _ string, args ...any) {
				require.Equal(t, RuleMetadata, rule)
				found = append(found, args[0].(string))
			})
			require.Equal(t, test.want != "", len(found) > 0, found)
			require.Contains(t, strings.Join(found, "\n"), test.want)
		})
	}
}
