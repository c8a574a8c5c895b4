package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// Finding is one difference between what is committed and what a rebuild
// gives.
type Finding struct {
	// File is a slash path below the checkout's root.
	File string `json:"file"`
	// What says in words what differs.
	What string `json:"what"`
	// Committed and Rebuilt are the digests ("sha256:…") of the bundle that
	// the file names, or empty where there is none.
	Committed string `json:"committed,omitempty"`
	Rebuilt   string `json:"rebuilt,omitempty"`
}

// What [Verify] finds.
const (
	missing   = "not committed"
	leftOver  = "committed, but nothing makes it"
	otherOne  = "names another bundle"
	otherText = "its text differs"
)

// Verify builds the repository anew in memory, past the cache of rendered
// manifests and bundles, and compares every generated file with the
// checkout's. No finding means that the committed digests can be reproduced; the
// repository is what was built.
func Verify(ctx context.Context, c *catalog.Catalog) (*Repository, []Finding, error) {
	r, err := Build(ctx, c, Options{Fresh: true})
	if err != nil {
		return nil, nil, err
	}
	findings, err := r.Compare(c)
	return r, findings, err
}

// Compare lists how the generated files of the checkout differ from the
// repository's: for a part of it, how those of its versions do.
func (r *Repository) Compare(c *catalog.Catalog) ([]Finding, error) {
	var findings []Finding
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		committed, err := os.ReadFile(filepath.Join(c.Root, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("comparing the generated files: %w", err)
		}
		if err != nil {
			findings = append(findings, Finding{File: name, What: missing, Rebuilt: fileDigest(name, r.Files[name])})
		} else if !bytes.Equal(committed, r.Files[name]) {
			findings = append(findings, difference(name, committed, r.Files[name]))
		}
	}
	if r.Image.Image == nil {
		return findings, nil // it is only a part, so what else is committed is not left over
	}
	stale, err := r.stale(c.Root)
	for _, name := range stale {
		findings = append(findings, Finding{File: name, What: leftOver})
	}
	return findings, err
}

func difference(name string, committed, rebuilt []byte) Finding {
	f := Finding{File: name, What: otherText, Committed: fileDigest(name, committed), Rebuilt: fileDigest(name, rebuilt)}
	if f.Committed != f.Rebuilt {
		f.What = otherOne
	}
	return f
}

// fileDigest is the digest of the bundle that a generated file names.
func fileDigest(name string, text []byte) string {
	switch {
	case name == LockFile:
		return lockDigest(text)
	case path.Base(name) == metadataFile:
		return ""
	}
	return packageDigest(text)
}
