package oci

import (
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Artifact is something that a registry can hold under a digest.
type Artifact struct {
	// Name says to people what it is, as in "keda 2.21.0 operator".
	Name string
	// Digest is that of Index or Image, "sha256:…". Push refuses content that
	// has another one; empty means that nobody expects a certain one.
	Digest string
	// Tags are set once everything else is there.
	Tags []string
	// Exactly one of Index and Image is set.
	Index v1.ImageIndex
	Image v1.Image
	// Attached are manifests that name a part of this artifact as their
	// subject, such as SBOMs.
	Attached []Artifact
}
