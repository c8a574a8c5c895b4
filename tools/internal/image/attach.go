package image

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	specs "github.com/opencontainers/image-spec/specs-go/v1"
)

// sbomType is the media type of an SPDX document as JSON.
const sbomType = "application/spdx+json"

// attachment is an OCI 1.1 artifact: a manifest with one blob, an empty
// config, and a subject. go-containerregistry takes it for an image, though it
// would not make one like it.
type attachment struct {
	manifest []byte
	blob     v1.Layer
}

// attach makes the manifest that ties an SPDX document to its subject.
// Annotations go onto the manifest.
func attach(content []byte, subject v1.Descriptor, annotations map[string]string) (v1.Image, error) {
	blob := static.NewLayer(content, sbomType)
	layer, err := partial.Descriptor(blob)
	if err != nil {
		return nil, fmt.Errorf("hashing an SPDX document: %w", err)
	}
	config, err := emptyConfig()
	if err != nil {
		return nil, err
	}
	manifest, err := json.Marshal(v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: sbomType,
		Config: config, Layers: []v1.Descriptor{*layer}, Subject: &subject, Annotations: annotations,
	})
	if err != nil {
		return nil, fmt.Errorf("writing the manifest of an SPDX document: %w", err)
	}
	return partial.CompressedToImage(&attachment{manifest: manifest, blob: blob})
}

// emptyConfig is the descriptor that the OCI image specification gives for
// artifacts without a config.
func emptyConfig() (v1.Descriptor, error) {
	hash, size, err := v1.SHA256(bytes.NewReader(specs.DescriptorEmptyJSON.Data))
	return v1.Descriptor{MediaType: types.MediaType(specs.MediaTypeEmptyJSON), Digest: hash, Size: size}, err
}

// MediaType implements partial.CompressedImageCore.
func (a *attachment) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// RawManifest implements partial.CompressedImageCore.
func (a *attachment) RawManifest() ([]byte, error) { return a.manifest, nil }

// RawConfigFile implements partial.CompressedImageCore.
func (a *attachment) RawConfigFile() ([]byte, error) { return specs.DescriptorEmptyJSON.Data, nil }

// LayerByDigest implements partial.CompressedImageCore.
func (a *attachment) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	digest, err := a.blob.Digest()
	if err != nil || h != digest {
		return nil, errors.Join(fmt.Errorf("an SBOM's manifest has no blob %s", h), err)
	}
	return a.blob, nil
}
