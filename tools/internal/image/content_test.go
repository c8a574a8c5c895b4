package image

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	spdxjson "github.com/spdx/tools-golang/json"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/oci"
)

// platformOf is the first platform's image.
func platformOf(t *testing.T, a oci.Artifact) v1.Image {
	t.Helper()
	m, err := a.Index.IndexManifest()
	require.NoError(t, err)
	img, err := a.Index.Image(m.Manifests[0].Digest)
	require.NoError(t, err)
	return img
}

// TestContent looks at one image from all sides; building it once is enough.
func TestContent(t *testing.T) {
	v := locked(t)
	artifacts, err := Build(t.Context(), v, Options{})
	require.NoError(t, err)
	a := artifacts[0]
	img := platformOf(t, a)
	files := unpack(t, img)

	t.Run("valid", func(t *testing.T) {
		require.NoError(t, validate.Index(a.Index))
		manifest, err := img.Manifest()
		require.NoError(t, err)
		require.Equal(t, types.OCIManifestSchema1, manifest.MediaType)
		require.Equal(t, types.OCIConfigJSON, manifest.Config.MediaType)
		for _, l := range manifest.Layers {
			require.Equal(t, types.OCILayer, l.MediaType)
		}
	})
	t.Run("labels", func(t *testing.T) {
		want := map[string]string{
			"org.opencontainers.image.title":    "server",
			"org.opencontainers.image.version":  "1.2.3",
			"org.opencontainers.image.source":   "https://example.test/commands",
			"org.opencontainers.image.licenses": "Apache-2.0 AND MIT",
			"org.opencontainers.image.created":  "2026-03-04T05:06:07Z",
		}
		config, err := img.ConfigFile()
		require.NoError(t, err)
		require.Equal(t, want, config.Config.Labels)
		require.Equal(t, v.ReleasedAt, config.Created.UTC())
		for _, h := range config.History {
			require.Equal(t, v.ReleasedAt, h.Created.UTC(), h.Comment)
		}
		manifest, err := img.Manifest()
		require.NoError(t, err)
		require.Equal(t, want, manifest.Annotations)
		index, err := a.Index.IndexManifest()
		require.NoError(t, err)
		require.Equal(t, want, index.Annotations)
	})
	t.Run("config", func(t *testing.T) {
		config, err := img.ConfigFile()
		require.NoError(t, err)
		require.Equal(t, []string{"/ko-app/server"}, config.Config.Entrypoint)
		require.Equal(t, "65532:65532", config.Config.User)
		require.Equal(t, []string{"PATH=" + searchPath + ":/ko-app", "KO_DATA_PATH=/var/run/ko"}, config.Config.Env)
	})
	t.Run("links and files", func(t *testing.T) {
		require.Equal(t, "/ko-app/server", files["server"].header.Linkname)
		require.Equal(t, "/ko-app/helper", files["usr/bin/helper"].header.Linkname)
		ca := files["etc/pki/ca.crt"]
		require.Equal(t, [3]int64{0o664, 1000, 0}, owner(ca.header))
		require.Equal(t, files[caFile].content, ca.content)
		require.Equal(t, [3]int64{0o600, 0, 0}, owner(files["etc/empty"].header))
		require.Equal(t, [3]int64{0o775, 0, 0}, owner(files["etc/pki"].header))
		require.Equal(t, byte(tar.TypeDir), files["etc/pki"].header.Typeflag)
		require.Empty(t, files["etc/empty"].content)
	})
	t.Run("base", func(t *testing.T) {
		require.Equal(t, [3]int64{0o1777, 0, 0}, owner(files["tmp"].header))
		require.Equal(t, [3]int64{0o700, 65532, 65532}, owner(files["home/nonroot"].header))
		require.Contains(t, string(files["etc/passwd"].content), "nonroot:x:65532:65532:")
		_, err := time.LoadLocationFromTZData("Europe/Berlin", files["usr/share/zoneinfo/Europe/Berlin"].content)
		require.NoError(t, err)
		pool := x509.NewCertPool()
		require.True(t, pool.AppendCertsFromPEM(files[caFile].content))
		require.Greater(t, strings.Count(string(files[caFile].content), "BEGIN CERTIFICATE"), 50)
	})
	t.Run("runs", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "server")
		require.NoError(t, os.WriteFile(name, files["ko-app/server"].content, 0o755))
		out, err := exec.Command(name).CombinedOutput()
		require.NoError(t, err)
		require.Equal(t, "v1.2.3 word tagged\n", string(out))
	})
	t.Run("SBOM", func(t *testing.T) { checkSBOM(t, a) })
}

func checkSBOM(t *testing.T, a oci.Artifact) {
	require.Len(t, a.Attached, 1)
	sbom := a.Attached[0].Image
	manifest, err := sbom.Manifest()
	require.NoError(t, err)
	subject, err := platformOf(t, a).Digest()
	require.NoError(t, err)
	require.Equal(t, subject, manifest.Subject.Digest)
	require.Equal(t, sbomType, manifest.ArtifactType)
	digest, err := sbom.Digest()
	require.NoError(t, err)
	require.Equal(t, a.Attached[0].Digest, digest.String())

	layers, err := sbom.Layers()
	require.NoError(t, err)
	content, err := layers[0].Compressed()
	require.NoError(t, err)
	doc, err := spdxjson.Read(content)
	require.NoError(t, err)
	names := map[string]*spdx.Package{}
	for _, p := range doc.Packages {
		names[p.PackageName] = p
	}
	require.Contains(t, names, "example.test/commands/cmd/server")
	require.Contains(t, names, "example.test/commands/cmd/helper")
	require.Contains(t, names, "stdlib")
	require.Equal(t, "v1.1.0", names["example.test/replaced"].PackageVersion, "the replacement")
	require.Contains(t, names["example.test/commands"].PackageSourceInfo, "go.sum h1:")
	require.Contains(t, names["tzdata"].PackageSourceInfo, runtime.Version())
	require.Equal(t, subject.Hex, names["server"].PackageChecksums[0].Value)
}

type unpacked struct {
	header  *tar.Header
	content []byte
}

// unpack reads the image's file system.
func unpack(t *testing.T, img v1.Image) map[string]unpacked {
	t.Helper()
	r := mutate.Extract(img)
	defer r.Close()
	files := map[string]unpacked{}
	for tr := tar.NewReader(r); ; {
		header, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		require.NoError(t, err)
		var content bytes.Buffer
		_, err = io.Copy(&content, tr)
		require.NoError(t, err)
		files[strings.Trim(header.Name, "/")] = unpacked{header, content.Bytes()}
	}
}

func owner(h *tar.Header) [3]int64 { return [3]int64{h.Mode, int64(h.Uid), int64(h.Gid)} }
