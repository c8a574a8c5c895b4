// Package oci is the project's one door to OCI registries: it pushes what the
// other stages made, resolves what upstreams published, serves a registry
// from a folder, and makes and reads imgpkg bundles.
//
// It is the only importer of go-containerregistry's remote access, of imgpkg
// and of distribution. It must not know what a package, a version or an image
// lock is: an [Artifact] is all it is given.
//
// Start reading at [Open] and [Remote.Push], whose steps are push.go (the
// order), survey.go (what is missing), upload.go, attach.go and tag.go. All
// requests go through transport.go and retry.go, all errors through errors.go.
// Then come [Resolve], [BundleImage], [Pull] and [Copy], and [Serve].
package oci
