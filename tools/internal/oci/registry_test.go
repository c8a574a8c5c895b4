package oci

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	secretPassword = "correct-horse-battery"
	secretToken    = "eyJhbGciOiJub25lIn0.staple"
)

func TestRegistryPrintsNoSecrets(t *testing.T) {
	r := Registry{Username: "ann", Password: secretPassword, Token: secretToken, CAFiles: []string{"ca.pem"}}
	encoded, err := json.Marshal(struct{ R Registry }{r})
	require.NoError(t, err)
	printed := []string{string(encoded)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		printed = append(printed, fmt.Sprintf(verb, r), fmt.Sprintf(verb, &r), fmt.Sprintf(verb, []Registry{r}))
	}
	for _, text := range printed {
		requireNoSecrets(t, text)
		require.Contains(t, text, "ca.pem")
	}
}

func requireNoSecrets(t *testing.T, text string) {
	t.Helper()
	require.NotContains(t, text, secretPassword)
	require.NotContains(t, text, secretToken)
	require.NotContains(t, text, base64.StdEncoding.EncodeToString([]byte("ann:"+secretPassword)))
}

// A registry that sends back what it was sent, and points to places with
// tokens in them, does not bring secrets into errors.
func TestErrorsHoldNoSecrets(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		if r.Method == http.MethodPost {
			w.Header().Set("Location", "https://ann:"+secretPassword+"@127.0.0.1:1/upload?token="+secretToken)
			w.WriteHeader(http.StatusAccepted)
			return true
		}
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusTeapot)
			_, password, _ := r.BasicAuth()
			_, _ = fmt.Fprintf(w, "you said %v and %s", r.Header, password)
			return true
		}
		return false
	}
	for title, r := range map[string]Registry{
		"user":  {Username: "ann", Password: secretPassword, Retries: -1},
		"token": {Token: secretToken, Retries: -1},
	} {
		t.Run(title, func(t *testing.T) {
			rec := newRecorder(t, echo)
			m := openRemote(t, rec.host+"/repo", r)
			_, err := m.Push(t.Context(), []Artifact{randomArtifact(t)}, PushOptions{})
			requireClean(t, err)
			_, err = m.Resolve(t.Context(), "tag")
			requireClean(t, err)
			requireClean(t, Pull(t.Context(), rec.host+"/repo:tag", filepath.Join(t.TempDir(), "x"), r, PullOptions{}))
		})
	}
}

func requireClean(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	for ; err != nil; err = errors.Unwrap(err) {
		requireNoSecrets(t, err.Error())
	}
}

func TestReferencesWithSecretsAreScrubbed(t *testing.T) {
	bad := "https://ann:" + secretPassword + "@registry.example/repo?token=" + secretToken
	_, err := Open(t.Context(), bad, Registry{})
	requireClean(t, err)
	_, err = Resolve(t.Context(), bad, Registry{}, nil)
	requireClean(t, err)
	requireClean(t, Pull(t.Context(), bad, filepath.Join(t.TempDir(), "x"), Registry{}, PullOptions{}))
}

func TestOpenWantsAHost(t *testing.T) {
	for _, reference := range []string{"", "keda", "strake/platform", "registry.example/repo:tag", "registry.example/repo@" + someDigest} {
		_, err := Open(t.Context(), reference, Registry{})
		require.ErrorContains(t, err, "HOST/PATH is wanted", reference)
	}
}

// Credentials are found where imgpkg finds them.
func TestCredentials(t *testing.T) {
	tests := map[string]struct {
		registry Registry
		env      map[string]string
		docker   string
		want     string
	}{
		"none":         {want: ""},
		"user":         {registry: Registry{Username: "ann", Password: "pass"}, want: "Basic YW5uOnBhc3M="},
		"token":        {registry: Registry{Token: "tok"}, want: "Bearer tok"},
		"imgpkg":       {env: map[string]string{"IMGPKG_USERNAME": "ann", "IMGPKG_PASSWORD": "pass"}, want: "Basic YW5uOnBhc3M="},
		"docker":       {docker: "YW5uOnBhc3M=", want: "Basic YW5uOnBhc3M="},
		"anonymous":    {docker: "YW5uOnBhc3M=", registry: Registry{Anon: true}, want: ""},
		"imgpkg, host": {env: map[string]string{"IMGPKG_REGISTRY_HOSTNAME": "HOST", "IMGPKG_REGISTRY_USERNAME": "ann", "IMGPKG_REGISTRY_PASSWORD": "pass"}, want: "Basic YW5uOnBhc3M="},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			var sent string
			rec := newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/v2/" {
					sent = r.Header.Get("Authorization")
					return false
				}
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(http.StatusUnauthorized)
				return true
			})
			t.Setenv("DOCKER_CONFIG", dockerConfig(t, rec.host, test.docker))
			for key, value := range test.env {
				t.Setenv(key, strings.Replace(value, "HOST", rec.host, 1))
			}
			_, err := openRemote(t, rec.host+"/repo", test.registry).Resolve(t.Context(), "tag")
			require.Error(t, err)
			require.Equal(t, test.want, sent)
		})
	}
}

func dockerConfig(t *testing.T, host, auth string) string {
	t.Helper()
	dir := t.TempDir()
	config := "{}"
	if auth != "" {
		config = fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, auth)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600))
	return dir
}
