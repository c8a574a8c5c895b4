package devcluster

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestCapabilities(t *testing.T) {
	status := "Name:\tx\nCapInh:\t0000000000000000\nCapEff:\t000001fffeffffff\nSeccomp:\t0\n"
	h := host{capabilities: effectiveCapabilities(status)}
	require.True(t, h.can(capSysAdmin))
	require.False(t, h.can(capSysResource), "bit 24 is the one that is not set")

	for _, unknown := range []string{"", "CapEff:\n", "CapEff:\tnonsense\n"} {
		require.Equal(t, ^uint64(0), effectiveCapabilities(unknown), "what cannot be read must not be reported as missing")
	}
	require.Equal(t, ^uint64(0), capabilities(fstest.MapFS{}))
}

func FuzzEffectiveCapabilities(f *testing.F) {
	f.Add("CapEff:\t000001ffffffffff\n")
	f.Fuzz(func(_ *testing.T, status string) { effectiveCapabilities(status) })
}

func TestIsDebian(t *testing.T) {
	for release, want := range map[string]bool{
		"ID=debian\n":                     true,
		"ID=ubuntu\nID_LIKE=debian\n":     true,
		"ID=x\nID_LIKE=\"ubuntu debian\"": true,
		"ID=fedora\nNAME=debian\n":        false,
		"":                                false,
	} {
		root := fstest.MapFS{"etc/os-release": {Data: []byte(release)}}
		require.Equal(t, want, isDebian(root), release)
	}
	require.False(t, isDebian(fstest.MapFS{}))
}

func TestCgroupVersion(t *testing.T) {
	require.Equal(t, 2, cgroupVersion(fstest.MapFS{"sys/fs/cgroup/cgroup.controllers": {}}))
	require.Equal(t, 1, cgroupVersion(fstest.MapFS{"sys/fs/cgroup/memory/tasks": {}}))
	require.Equal(t, 0, cgroupVersion(fstest.MapFS{}))
}

func TestAnswersHTTP(t *testing.T) {
	for status, want := range map[int]bool{200: true, 401: true, 403: false, 503: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		require.Equal(t, want, answersHTTP(t.Context(), server.URL), status)
		server.Close()
		require.False(t, answersHTTP(t.Context(), server.URL), "nobody listens any more")
	}
	require.False(t, answersHTTP(t.Context(), "://"))
}

// installEngine puts a program by the engine's name alone on PATH.
func installEngine(t *testing.T, e engine, script string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, string(e)), []byte("#!/bin/sh\n"+script), 0o755))
	t.Setenv("PATH", dir)
}

func TestEngineAnswers(t *testing.T) {
	tests := map[string]struct {
		engine    engine
		script    string
		installed bool
		problem   string
	}{
		"a daemon that answers":  {docker, "echo 28.2.2", true, ""},
		"a client without one":   {docker, "exit 0", true, "the daemon does not respond"},
		"a client that says why": {docker, "echo 'permission denied' >&2; exit 1", true, "permission denied"},
		"podman needs no daemon": {podman, "echo 4.3.1", true, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			installEngine(t, test.engine, test.script)
			installed, err := test.engine.answers(t.Context())
			require.True(t, installed)
			if test.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.problem)
		})
	}
	t.Setenv("PATH", t.TempDir())
	installed, err := nerdctl.answers(t.Context())
	require.False(t, installed)
	require.NoError(t, err)
}

func TestEngineChoice(t *testing.T) {
	broken := context.DeadlineExceeded
	h := host{engines: map[engine]error{docker: broken, podman: nil}}
	e, ok := h.engine("")
	require.True(t, ok)
	require.Equal(t, podman, e, "an engine that does not answer is passed over")
	_, ok = h.engine("docker")
	require.False(t, ok, "an engine that was asked for is not replaced by another")
	_, ok = host{}.engine("")
	require.False(t, ok)
}
