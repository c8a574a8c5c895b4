package oci

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

func TestLayoutKeepsArtifacts(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "layout")
	want := []Artifact{randomArtifact(t, "one", "two"), {Name: "image", Image: randomImage(t)}}
	require.NoError(t, WriteLayout(dir, want))
	got, err := ReadLayout(dir)
	require.NoError(t, err)
	require.Len(t, got, 2)

	require.Equal(t, "test image", got[0].Name)
	require.Equal(t, want[0].Digest, got[0].Digest)
	require.Equal(t, []string{"one", "two"}, got[0].Tags)
	require.NoError(t, validate.Index(got[0].Index))
	require.Len(t, got[0].Attached, 2)
	for i, extra := range got[0].Attached {
		digest, err := want[0].Attached[i].Image.Digest()
		require.NoError(t, err)
		require.Equal(t, digest.String(), extra.Digest)
	}
	require.Empty(t, got[1].Tags)
	require.NoError(t, validate.Image(got[1].Image))

	host := serve(t, ServeOptions{})
	report, err := openRemote(t, host+"/repo", Registry{}).Push(t.Context(), got, PushOptions{})
	require.NoError(t, err)
	require.Equal(t, 6, report.Uploaded.Manifests)
}

func TestReadLayoutErrors(t *testing.T) {
	tests := map[string]string{
		"missing":     "",
		"no JSON":     "{",
		"other media": `{"schemaVersion":2,"manifests":[{"mediaType":"text/plain","size":1,"digest":"` + someDigest + `"}]}`,
		"no blob":     `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"` + someDigest + `"}]}`,
	}
	for title, index := range tests {
		t.Run(title, func(t *testing.T) {
			dir := t.TempDir()
			if index != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o600))
			}
			artifacts, err := ReadLayout(dir)
			if err == nil {
				// The manifest is read when it is used.
				_, err = artifacts[0].Image.RawManifest()
			}
			require.Error(t, err)
		})
	}
}
