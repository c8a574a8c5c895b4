package devcluster

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/stretchr/testify/require"
)

func TestHostsFile(t *testing.T) {
	require.Equal(t, `server = "http://10.89.0.3:5000"

[host."http://10.89.0.3:5000"]
  capabilities = ["pull", "resolve"]
`, hostsFile("10.89.0.3:5000"))
}

func TestPublishedAddress(t *testing.T) {
	for out, want := range map[string]string{
		"127.0.0.1:37087":              "127.0.0.1:37087",
		"127.0.0.1:37087\n[::1]:37087": "127.0.0.1:37087",
		"":                             "",
	} {
		require.Equal(t, want, publishedAddress(out))
	}
}

func TestFirstServing(t *testing.T) {
	good := httptest.NewServer(registry.New())
	defer good.Close()
	bad := httptest.NewServer(http.NotFoundHandler())
	defer bad.Close()
	address := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

	found, err := firstServing(t.Context(), "", address(bad), address(good))
	require.NoError(t, err)
	require.Equal(t, address(good), found)

	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = firstServing(ctx, address(bad))
	require.ErrorContains(t, err, address(bad))
}

func TestRunArguments(t *testing.T) {
	line := strings.Join(runArguments("strake-registry", "image:tag", true), " ")
	require.Equal(t, "run --detach --name strake-registry --network kind --restart unless-stopped"+
		" --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp"+
		" --volume strake-registry:/data --publish 127.0.0.1::5000 --memory 512m image:tag", line)
	require.NotContains(t, runArguments("strake-registry", "image:tag", false), "--memory")
}

func TestSaysMemory(t *testing.T) {
	for _, test := range []struct {
		engine engine
		answer string
		want   bool
	}{
		{podman, "[cpuset cpu memory pids]", true},
		{podman, "[cpuset cpu pids]", false},
		{podman, "[]", false},
		{docker, "true", true},
		{docker, "false", false},
		{nerdctl, "true", true},
		{nerdctl, "<no value>", false},
	} {
		require.Equal(t, test.want, saysMemory(test.engine, test.answer), "%s: %s", test.engine, test.answer)
	}
}

// compile builds a tiny program and answers with its file.
func compile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(source, []byte("package main\n\nfunc main() { println(1) }\n"), 0o644))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, "program"), source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	return filepath.Join(dir, "program")
}

func TestRegistryImage(t *testing.T) {
	program := compile(t)
	other := filepath.Join(t.TempDir(), "other")
	content, err := os.ReadFile(program)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(other, append(content, 0), 0o755))
	reference := func(program, key string) string {
		reference, err := registryImage(program, key)
		require.NoError(t, err)
		return reference
	}
	first := reference(program, "")
	require.Equal(t, first, reference(program, ""), "the same program")
	require.NotEqual(t, reference(program, ""), reference(other, ""), "without a key, every program is another one")
	require.Equal(t, reference(program, "key"), reference(other, "key"), "a commit that does not concern the registry")
	require.NotEqual(t, reference(program, "key"), reference(program, "other key"))

	image, err := programImage(program)
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	require.Equal(t, []string{"/strake", "registry", "serve", "--addr", ":5000", "--dir", "/data"}, config.Config.Entrypoint)

	r := tar.NewReader(mutate.Extract(image))
	modes := map[string]int64{}
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		modes[h.Name] = h.Mode
	}
	require.Equal(t, map[string]int64{"tmp": 0o1777, "data": 0o1777, "strake": 0o755}, modes)
}

func TestRegistryImageRefuses(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755))
	_, err := registryImage(script, "key")
	require.ErrorContains(t, err, "is not a Linux program")
	require.ErrorContains(t, err, "CGO_ENABLED=0")

	_, err = registryImage(script+".none", "")
	require.ErrorIs(t, err, os.ErrNotExist)

	shell, err := filepath.EvalSymlinks("/bin/sh")
	if err == nil && checkStatic(shell) != nil {
		require.ErrorContains(t, checkStatic(shell), "shared libraries")
	}
	_, err = programImage(script + ".none")
	require.ErrorIs(t, err, os.ErrNotExist)
}
