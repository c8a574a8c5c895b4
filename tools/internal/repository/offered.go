package repository

import (
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// LockFile holds the repository bundle's digest as imgpkg's own BundleLock,
// so "imgpkg pull --lock" and "imgpkg copy --lock" take it.
const LockFile = "repo/bundle.lock.yml"

const (
	// packagesDir is where kapp-controller looks in a repository bundle.
	packagesDir  = "packages"
	metadataFile = "metadata.yml"
	imagesFile   = ".imgpkg/images.yml"
)

// offered are the resources of all published versions, by their path in the
// repository bundle: packages/NAME.DOMAIN/VERSION.yml and metadata.yml.
func (r *Repository) offered(c *catalog.Catalog) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, b := range r.Bundles {
		dir := path.Join(packagesDir, c.Repository.FullName(b.Package))
		files[path.Join(dir, b.Version+".yml")] = b.PackageCR
		if files[path.Join(dir, metadataFile)] != nil {
			continue
		}
		p, err := c.Package(b.Package)
		if err != nil {
			return nil, err
		}
		if files[path.Join(dir, metadataFile)], err = bundle.MetadataCR(p, c.Repository); err != nil {
			return nil, fmt.Errorf("making the PackageMetadata of %s: %w", p.Name, err)
		}
	}
	return files, nil
}

// image is the repository bundle. Its lock names every package bundle as the
// Package resources write it: kapp-controller's repository controller runs
// kbld with that lock over them, which moves the references to wherever the
// repository was fetched from.
func (r *Repository) image(repo catalog.Repository, offered map[string][]byte) (oci.Artifact, error) {
	var entries []oci.LockEntry
	for _, b := range r.Bundles {
		entries = append(entries, oci.LockEntry{Image: b.Reference(), ID: b.Reference()})
	}
	lock, err := oci.ImagesLock(entries)
	if err != nil {
		return oci.Artifact{}, fmt.Errorf("locking the packages of the repository: %w", err)
	}
	files := map[string][]byte{imagesFile: lock}
	for name, data := range offered {
		files[name] = data
	}
	return bundle.Pack("repository "+repo.Version, files, strings.ReplaceAll(repo.Version, "+", "-"))
}

// lock is imgpkg's BundleLock; only the fields that it has.
type lock struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Bundle     lockBundle `json:"bundle"`
}

type lockBundle struct {
	Image string `json:"image"`
	Tag   string `json:"tag"`
}

func bundleLock(reference, tag string) ([]byte, error) {
	text, err := yaml.Marshal(lock{"imgpkg.carvel.dev/v1alpha1", "BundleLock", lockBundle{reference, tag}})
	return append([]byte("---\n"), text...), err
}

// lockDigest is the digest in a BundleLock, or empty where the text is none.
func lockDigest(text []byte) string {
	var l lock
	if err := yaml.Unmarshal(text, &l); err != nil {
		return ""
	}
	_, digest, _ := strings.Cut(l.Bundle.Image, "@")
	return digest
}
