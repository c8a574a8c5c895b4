package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReferencesOfPackage(t *testing.T) {
	const file = "packages/boat/package.yml"
	with := func(text string) files {
		return good().with(file, goodPackage+text)
	}
	c, err := Load(with("references:\n- {kind: Secret, pattern: '--key=(?P<name>.+)'}\ncreates:\n- {kind: Secret, name: keys, reason: The captain creates it.}\n").write(t))
	require.NoError(t, err)
	require.Equal(t, []TextReference{{"Secret", "--key=(?P<name>.+)"}}, c.Packages[0].References)
	require.Equal(t, []CreatedObject{{"Secret", "keys", "The captain creates it."}}, c.Packages[0].Creates)

	for name, test := range map[string]struct{ text, want string }{
		"no expression": {"references:\n- {kind: Secret, pattern: '('}\n", `pattern "(" is not a regular expression`},
		"no name":       {"references:\n- {kind: Secret, pattern: '--key=(.+)'}\n", `pattern "--key=(.+)" finds no name; put the name into the group (?P<name>…), or NAMESPACE-NAME into (?P<joined>…)`},
		"no reason":     {"creates:\n- {kind: Secret, name: keys}\n", `missing field "creates[0].reason"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(with(test.text).write(t))
			require.ErrorContains(t, err, file)
			require.ErrorContains(t, err, test.want)
		})
	}
}
