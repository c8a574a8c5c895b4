package gitops

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/environment"
)

func TestRefuseSecrets(t *testing.T) {
	// Written in parts, so that no scanner takes this file for a leak.
	const random = "q9XvT3bLw7RkZ2" + "mN8dYc5HsJ4fPg6"
	aws, github, slack := "AKIA"+"Z7QXW3KJ5VBN2MLR", "ghp_"+"wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx", "xoxb-"+"263594206564-2343594206574-FGqddMF8t08v8N7Oq4i57vs1"
	for name, test := range map[string]struct{ values, says string }{
		"nothing":         {`{a: "https://proxy.test:3128/x@y", b: [1, true, null], c: "Bearer of news", d: "-----BEGIN CERTIFICATE-----"}`, ""},
		"a password":      {`{packages: {keda: {values: {proxy: {https: "http://me:pass@proxy.test:3128"}}}}}`, "packages.keda.values.proxy.https holds a URL with a password"},
		"an empty name":   {`{a: "redis://:pass@cache.test"}`, "a holds a URL with a password"},
		"a key in a list": {"{a: [{b: \"x\\n-----BEGIN RSA PRIVATE KEY-----\\n\"}]}", "a[0].b holds a private key"},
		"a plain key":     {`{a: "-----BEGIN PRIVATE KEY-----"}`, "a holds a private key"},
		"a token":         {`{headers: [{name: X, value: "Bearer abcdefghijklmnop0123"}]}`, "headers[0].value holds credentials of HTTP"},
		"age":             {`{a: AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQ}`, "a holds a key of age"},
		"in an overlay":   {`{overlays: {x.yml: "#@ x\nurl: https://me:pass@host.test\n"}}`, "overlays.x.yml holds a URL with a password"},

		"of Amazon":            {`{env: [{name: ID, value: ` + aws + `}]}`, `env[0].value holds a secret by gitleaks' rule "aws-access-token"`},
		"of GitHub":            {`{a: {b: ` + github + `}}`, `a.b holds a secret by gitleaks' rule "github-pat"`},
		"of Slack":             {`{receivers: [{slack: ` + slack + `}]}`, `receivers[0].slack holds a secret by gitleaks' rule "slack-bot-token"`},
		"by its key":           {`{exporter: {apiToken: ` + random + `}}`, `exporter.apiToken holds a secret by gitleaks' rule "generic-api-key"`},
		"by the name beside":   {`{env: [{name: CLIENT_SECRET, value: ` + random + `}]}`, `env[0].value holds a secret by gitleaks' rule "generic-api-key"`},
		"a line of a text":     {"{config: \"a: b\\naccess_token: " + random + "\\n\"}", "config holds a secret by gitleaks' rule"},
		"base64 in an overlay": {`{overlays: {x.yml: "data: {a: ` + base64.StdEncoding.EncodeToString([]byte(github)) + `}"}}`, `overlays.x.yml holds a secret by gitleaks' rule "github-pat"`},
		"a key of a map":       {`{a: {"https://me:pass@host.test": x}}`, "a holds a key with a secret in it"},

		"a header":               {`{headers: {Authorization: "pass@word"}}`, "headers.Authorization holds the credentials of Authorization"},
		"in lower case":          {`{headers: {x-api-key: "pass@"}}`, "headers.x-api-key holds the credentials of x-api-key"},
		"a header by its name":   {`{headers: [{name: Proxy-Authorization, value: "pass@"}]}`, "headers[0].value holds the credentials of Proxy-Authorization"},
		"a header in a text":     {`{headers: ["X-Auth-Token: pass@word"]}`, "headers[0] holds the HTTP header X-Auth-Token"},
		"of OpenTelemetry":       {`{env: [{name: OTEL_EXPORTER_OTLP_HEADERS, value: "a=b,api-key=pass@word"}]}`, "env[0].value holds the HTTP header api-key"},
		"a cookie":               {`{headers: {Cookie: ["session=pass@"]}}`, "headers.Cookie[0] holds the credentials of Cookie"},
		"a header in an overlay": {`{overlays: {x.yml: "headers:\n  Authorization: \"pass@word\"\n"}}`, "overlays.x.yml holds the HTTP header Authorization"},
		"a short password":       {`{metadata: [{name: redisPassword, value: "pass@"}]}`, "metadata[0].value holds the credentials of redisPassword"},

		"variables":             {`{headers: {Authorization: "Bearer ${env:TOKEN}", X-Api-Key: "$(KEY)"}, password: "${PASSWORD}", url: "https://me:${PASSWORD}@host.test"}`, ""},
		"what is done with one": {`{accessLog: {headers: {names: {Authorization: drop, Cookie: redact}}}, strip: [Authorization, X-Api-Key]}`, ""},
		"an overlay's own":      {`{overlays: {x.yml: "headers:\n  Authorization: #@ data.values.x\n  Cookie: \"\"\n"}}`, ""},
		"digests":               {`{token: "x@sha256:` + strings.Repeat("a81", 21) + `0", key: "sha256:` + strings.Repeat("0f", 32) + `", image: "registry.test/secret/api-key:v1.2.3@sha256:` + strings.Repeat("0f", 32) + `"}`, ""},
		"names of Secrets":      {`{fetchSecret: registry-credentials-2, auth: {secretRef: {name: platform-tls-2026, key: redis-password}}, imagePullSecrets: [{name: prod3-pull-secret-eu1}]}`, ""},
		"durations":             {`{tokenLifetime: 720h0m0s, keyRotationInterval: 2160h30m15s, secretRefresh: 1h2m3s4ms}`, ""},
		"hosts":                 {`{tokenIssuer: "https://login.prod3.example.com/oauth2/v1", authServer: idp1.example.com}`, ""},
		"a certificate":         {"{key: \"-----BEGIN CERTIFICATE-----\\nMIIBkTCB+wIJAKHHCgVZU7ZtMA0GCSqGSIb3DQEBCwUAMBExDzANBgNVBAMMBnRv\\n-----END CERTIFICATE-----\\n\"}", ""},
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
			require.ErrorContains(t, err, "--values-secret")
			for _, secret := range []string{"pass@", random, aws, github, slack} {
				require.NotContains(t, err.Error(), secret, "the message is no place for it either")
			}
		})
	}
}

// TestEnvironmentsHoldNoSecrets: nothing in config/ is taken for one.
func TestEnvironmentsHoldNoSecrets(t *testing.T) {
	c := checkout(t)
	names, err := c.Environments()
	require.NoError(t, err)
	for _, name := range names {
		text, err := environment.Values(t.Context(), c, environmentOf(t, c, name), c.Repository.Platform)
		require.NoError(t, err)
		var values map[string]any
		require.NoError(t, yaml.Unmarshal(text, &values))
		require.NotEmpty(t, values)
		require.NoError(t, refuseSecrets(values), name)
	}
}
