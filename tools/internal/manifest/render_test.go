package manifest_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

var update = flag.Bool("update", false, "write what comes out into the cases, to be looked at and committed")

// TestRender runs the cases in testdata/*.txtar. Each holds sources, a file
// "manifests" as it would stand in package.yml, and either what must come out
// ("objects" as YAML, "origins" a line each) or the whole "error".
func TestRender(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			dir, expected := unpack(t, file)
			objects, err := manifest.Render(t.Context(), dir, expected.manifests)
			if *update {
				rewrite(t, file, map[string]string{
					"error":   message(err, dir),
					"origins": origins(objects),
					"objects": encode(t, objects),
				})
				return
			}
			if expected.error != "" {
				require.Error(t, err)
				require.Equal(t, expected.error, message(err, dir))
				return
			}
			require.NoError(t, err)
			require.Equal(t, expected.origins, origins(objects))
			require.Equal(t, expected.objects, encode(t, objects))

			again, err := manifest.Render(t.Context(), dir, expected.manifests)
			require.NoError(t, err)
			require.Equal(t, objects, again, "a second run must give the same")
		})
	}
}

type expectation struct {
	manifests               []catalog.Manifest
	objects, origins, error string
}

// unpack writes a case's sources to a folder.
func unpack(t *testing.T, file string) (string, expectation) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	require.NoError(t, err)
	var e expectation
	var sources txtar.Archive
	for _, f := range archive.Files {
		switch f.Name {
		case "manifests":
			require.NoError(t, yaml.Unmarshal(f.Data, &e.manifests))
		case "objects":
			e.objects = string(f.Data)
		case "origins":
			e.origins = string(f.Data)
		case "error":
			e.error = string(f.Data)
		default:
			sources.Files = append(sources.Files, f)
		}
	}
	dir := t.TempDir()
	require.NoError(t, txtar.Write(&sources, dir))
	return dir, e
}

func origins(objects []manifest.Object) string {
	var b strings.Builder
	for _, o := range objects {
		fmt.Fprintf(&b, "%s %s\n", o.Origin, o.ID())
	}
	return b.String()
}

func encode(t *testing.T, objects []manifest.Object) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, manifest.Encode(&b, objects))
	return b.String()
}

// message is an error without what differs between machines.
func message(err error, dir string) string {
	if err == nil {
		return ""
	}
	return strings.ReplaceAll(err.Error(), dir, "DIR") + "\n"
}

// rewrite puts what came out into those sections that a case has.
func rewrite(t *testing.T, file string, sections map[string]string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	require.NoError(t, err)
	for i, f := range archive.Files {
		if text, ok := sections[f.Name]; ok {
			archive.Files[i].Data = []byte(text)
		}
	}
	require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o600))
}

func TestRenderStaysInTheSources(t *testing.T) {
	outside := t.TempDir()
	secret := filepath.Join(outside, "secret.yml")
	require.NoError(t, os.WriteFile(secret, []byte("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"), 0o600))
	dir := t.TempDir()
	require.NoError(t, os.Symlink(secret, filepath.Join(dir, "link.yml")))
	chart := filepath.Join(dir, "chart")
	require.NoError(t, os.MkdirAll(filepath.Join(chart, "templates"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(chart, "Chart.yaml"), []byte("apiVersion: v2\nname: c\nversion: 1.0.0\n"), 0o600))
	require.NoError(t, os.Symlink(secret, filepath.Join(chart, "templates", "link.yml")))

	release := &catalog.HelmRelease{Name: "r", Namespace: "n"}
	for _, m := range []catalog.Manifest{
		{Kind: catalog.Plain, Path: "link.yml"},
		{Kind: catalog.Plain, Path: "../" + filepath.Base(outside)},
		{Kind: catalog.Plain, Path: secret},
		{Kind: catalog.Kustomize, Path: "."},
		{Kind: catalog.Helm, Path: "chart", Release: release},
		{Kind: catalog.Ytt, Path: "."},
	} {
		_, err := manifest.Render(t.Context(), dir, []catalog.Manifest{m})
		require.Error(t, err, "%s %s", m.Kind, m.Path)
		require.NotContains(t, err.Error(), "no object in it")
	}
}

func TestCacheRoundTrip(t *testing.T) {
	dir, e := unpack(t, "testdata/plain.txtar")
	objects, err := manifest.Render(t.Context(), dir, e.manifests)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, manifest.EncodeCache(&b, objects))
	full := b.Bytes()
	back, err := manifest.DecodeCache(bytes.NewReader(full))
	require.NoError(t, err)
	require.Equal(t, objects, back)

	_, err = manifest.DecodeCache(bytes.NewReader(full[:len(full)-10]))
	require.ErrorContains(t, err, "delete the cache")
	_, err = manifest.DecodeCache(strings.NewReader("{}\n"))
	require.ErrorContains(t, err, "delete the cache")
}

func TestNonDeterministic(t *testing.T) {
	dir, _ := unpack(t, "testdata/helm-nondeterministic.txtar")
	uses, err := manifest.NonDeterministic(filepath.Join(dir, "chart"))
	require.NoError(t, err)
	require.Len(t, uses, 6)
	require.Equal(t, "charts/sub/templates/id.yaml:1: uuidv4 gives something else each time", uses[0].String())

	dir, _ = unpack(t, "testdata/helm.txtar")
	uses, err = manifest.NonDeterministic(filepath.Join(dir, "charts/app"))
	require.NoError(t, err)
	require.Empty(t, uses)

	_, err = manifest.NonDeterministic(dir)
	require.ErrorContains(t, err, "reading the chart")
}

func TestRenderStopsWithItsContext(t *testing.T) {
	dir, e := unpack(t, "testdata/plain.txtar")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := manifest.Render(ctx, dir, e.manifests)
	require.ErrorIs(t, err, context.Canceled)
}
