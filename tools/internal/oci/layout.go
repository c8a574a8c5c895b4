package oci

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// Annotations of a layout's index.json that make artifacts of descriptors.
const (
	nameAnnotation = "dev.strake.artifact.name"
	tagsAnnotation = "dev.strake.artifact.tags"
	// toAnnotation is the digest of the artifact that this one is attached to.
	toAnnotation = "dev.strake.artifact.attached-to"
)

// WriteLayout keeps artifacts as an OCI image layout in dir, which is made
// where it is missing. Layers are streamed. A folder that was left by a
// failed write must not be used; see the cache package.
func WriteLayout(dir string, artifacts []Artifact) error {
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("making the OCI layout %s: %w", dir, err)
	}
	for _, a := range artifacts {
		if err := appendArtifact(path, a, ""); err != nil {
			return fmt.Errorf("keeping %s in the OCI layout %s: %w", a.Name, dir, err)
		}
	}
	return nil
}

func appendArtifact(path layout.Path, a Artifact, to string) error {
	n, err := root(a)
	if err != nil {
		return err
	}
	annotations := map[string]string{nameAnnotation: a.Name}
	if len(a.Tags) > 0 {
		annotations[tagsAnnotation] = strings.Join(a.Tags, " ")
	}
	if to != "" {
		annotations[toAnnotation] = to
	}
	if a.Index != nil {
		err = path.AppendIndex(a.Index, layout.WithAnnotations(annotations))
	} else {
		err = path.AppendImage(a.Image, layout.WithAnnotations(annotations))
	}
	if err != nil {
		return err
	}
	for _, extra := range a.Attached {
		if err := appendArtifact(path, extra, n.digest.String()); err != nil {
			return err
		}
	}
	return nil
}

// ReadLayout reads what [WriteLayout] kept; layers are read from the folder
// when they are needed. A folder that is no layout of ours is an error.
func ReadLayout(dir string) ([]Artifact, error) {
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the OCI layout %s: %w", dir, err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, fmt.Errorf("reading the OCI layout %s: %w", dir, err)
	}
	artifacts, err := artifactsTo("", index, manifest.Manifests)
	if err != nil {
		return nil, fmt.Errorf("reading the OCI layout %s: %w", dir, err)
	}
	return artifacts, nil
}

// artifactsTo reads those artifacts that are attached to a digest; "" are
// those that are attached to nothing. What is attached comes after what it is
// attached to, so a layout that was tampered with cannot make a circle.
func artifactsTo(to string, index v1.ImageIndex, all []v1.Descriptor) ([]Artifact, error) {
	var artifacts []Artifact
	for i, d := range all {
		if d.Annotations[toAnnotation] != to {
			continue
		}
		a, err := artifactOf(index, d)
		if err != nil {
			return nil, err
		}
		if a.Attached, err = artifactsTo(a.Digest, index, all[i+1:]); err != nil {
			return nil, err
		}
		artifacts = append(artifacts, a)
	}
	return artifacts, nil
}

func artifactOf(index v1.ImageIndex, d v1.Descriptor) (Artifact, error) {
	a := Artifact{Name: d.Annotations[nameAnnotation], Digest: d.Digest.String(), Tags: strings.Fields(d.Annotations[tagsAnnotation])}
	var err error
	switch {
	case d.MediaType.IsIndex():
		a.Index, err = index.ImageIndex(d.Digest)
	case d.MediaType.IsImage():
		a.Image, err = index.Image(d.Digest)
	default:
		err = fmt.Errorf("%s is a %s, neither an image nor an index", d.Digest, d.MediaType)
	}
	if err != nil {
		return Artifact{}, err
	}
	return a, nil
}
