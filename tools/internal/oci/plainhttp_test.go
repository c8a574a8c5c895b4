package oci

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// leading connects to host instead of to wherever a request goes.
func leading(r Registry, host string) Registry {
	r.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, host)
	}
	return r
}

func TestNoPlainHTTPToOtherMachines(t *testing.T) {
	t.Parallel()
	hosts := []string{"10.0.0.5:5000", "10.0.0.5", "172.16.0.1:5000", "192.168.1.2:5000", "registry.local:5000", "registry.local", "registry.example.com"}
	for _, host := range hosts {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			rec := newRecorder(t, nil)
			r := leading(awake(), rec.host)
			r.Username, r.Password = "me", "secret"
			reference := host + "/repo"
			for doing, do := range map[string]func(r Registry) error{
				"push": func(r Registry) error {
					_, err := openRemote(t, reference, r).Push(t.Context(), []Artifact{randomArtifact(t, "tag")}, PushOptions{})
					return err
				},
				"resolve": func(r Registry) error {
					_, err := Resolve(t.Context(), reference+":tag", r, nil)
					return err
				},
				"pull": func(r Registry) error {
					return Pull(t.Context(), reference+":tag", filepath.Join(t.TempDir(), "new"), r, PullOptions{})
				},
				"copy": func(r Registry) error {
					return Copy(t.Context(), Place{Bundle: reference + ":tag"}, Place{Tar: filepath.Join(t.TempDir(), "tar")}, r)
				},
			} {
				err := do(r)
				require.ErrorContains(t, err, "--registry-insecure", doing)
				require.NotContains(t, err.Error(), "secret", doing)
				require.Empty(t, rec.take(), doing)
			}
			r.Insecure = true
			_, err := openRemote(t, reference, r).Push(t.Context(), []Artifact{randomArtifact(t, "tag")}, PushOptions{})
			require.NoError(t, err)
		})
	}
}

func TestNoPlainHTTPByRedirect(t *testing.T) {
	t.Parallel()
	var plain atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { plain.Add(1) }))
	defer other.Close()
	for _, status := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		rec := newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/manifests/") {
				return false
			}
			http.Redirect(w, r, "http://mirror.example.com/elsewhere", status)
			return true
		})
		r := awake()
		r.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "mirror.example.com:80" {
				address = strings.TrimPrefix(other.URL, "http://")
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		_, err := openRemote(t, rec.host+"/repo", r).Resolve(t.Context(), "tag")
		require.ErrorContains(t, err, "plain HTTP to mirror.example.com is not allowed")
	}
	require.Zero(t, plain.Load())
}

// The token server is where the password goes.
func TestNoPlainHTTPToTheTokenServer(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	rec := newRecorder(t, func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.Host, "tokens.example.com") {
			asked.Add(1)
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://tokens.example.com/token",service="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	r := leading(awake(), rec.host)
	r.Username, r.Password = "me", "secret"
	_, err := openRemote(t, rec.host+"/repo", r).Resolve(t.Context(), "tag")
	require.ErrorContains(t, err, "plain HTTP to tokens.example.com is not allowed")
	require.Zero(t, asked.Load())
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true,
		"10.0.0.1": false, "::2": false, "localhost.example.com": false, "127.0.0.1.example.com": false, "0.0.0.0": false, "": false,
	} {
		require.Equal(t, want, loopback(host), host)
	}
}
