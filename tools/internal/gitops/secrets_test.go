package gitops

import (
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

func TestRefuseSecrets(t *testing.T) {
	for name, test := range map[string]struct{ values, says string }{
		"nothing":         {`{a: "https://proxy.test:3128/x@y", b: [1, true, null], c: "Bearer of news", d: "-----BEGIN CERTIFICATE-----"}`, ""},
		"a password":      {`{packages: {keda: {values: {proxy: {https: "http://me:pass@proxy.test:3128"}}}}}`, "packages.keda.values.proxy.https holds a URL with a password"},
		"an empty name":   {`{a: "redis://:pass@cache.test"}`, "a holds a URL with a password"},
		"a key in a list": {"{a: [{b: \"x\\n-----BEGIN RSA PRIVATE KEY-----\\n\"}]}", "a[0].b holds a private key"},
		"a plain key":     {`{a: "-----BEGIN PRIVATE KEY-----"}`, "a holds a private key"},
		"a token":         {`{headers: [{name: Authorization, value: "Bearer abcdefghijklmnop0123"}]}`, "headers[0].value holds credentials of HTTP"},
		"age":             {`{a: AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQ}`, "a holds a key of age"},
		"in an overlay":   {`{overlays: {x.yml: "#@ x\nurl: https://me:pass@host.test\n"}}`, "overlays.x.yml holds a URL with a password"},
	} {
		t.Run(name, func(t *testing.T) {
			var values map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(test.values), &values))
			err := refuseSecrets(values)
			if test.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.says)
			require.NotContains(t, err.Error(), "pass@", "the message is no place for it either")
		})
	}
}
