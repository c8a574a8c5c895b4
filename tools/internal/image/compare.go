package image

import (
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
)

// compare refuses an image whose digests are not the locked ones.
func compare(s stored, locked catalog.LockedImage) error {
	got, err := s.platforms()
	if err != nil {
		return err
	}
	differences := differ(nil, "index", locked.Digest, s.index.Digest.String())
	for i, want := range locked.Platforms {
		if i >= len(got) || got[i].Platform != want.Platform {
			return fmt.Errorf("the image has other platforms than the lock: %v, not %v", got, locked.Platforms)
		}
		differences = differ(differences, want.Platform, want.Digest, got[i].Digest)
		differences = differ(differences, "SBOM of "+want.Platform, want.SBOM, got[i].SBOM)
	}
	if differences == nil {
		return nil
	}
	return errors.New("the image is not the locked one: " + strings.Join(differences, "; ") +
		". Toolchain, base layer and inputs are as locked, so either the lock was edited by hand, or the go command, a module in the module cache (run \"go mod verify\") or strake itself differs from what locked it")
}

func differ(all []string, what, want, got string) []string {
	if want == got {
		return all
	}
	return append(all, fmt.Sprintf("%s: locked %s, built %s", what, want, got))
}

// artifact is the image with its SBOMs, its bytes read from the cache on demand.
func (s stored) artifact(v *catalog.Version, locked catalog.LockedImage) (oci.Artifact, error) {
	root, err := s.path.ImageIndex()
	if err != nil {
		return oci.Artifact{}, fmt.Errorf("reading %s: %w", s.path, err)
	}
	index, err := root.ImageIndex(s.index.Digest)
	if err != nil {
		return oci.Artifact{}, fmt.Errorf("reading %s: %w", s.path, err)
	}
	a := oci.Artifact{Name: v.ID() + " " + locked.Name, Digest: locked.Digest, Index: index}
	for i, d := range s.sboms {
		sbom, err := s.path.Image(d.Digest)
		if err != nil {
			return oci.Artifact{}, fmt.Errorf("reading %s: %w", s.path, err)
		}
		a.Attached = append(a.Attached, attached(a.Name, locked.Platforms[i], d, sbom))
	}
	return a, nil
}

func attached(name string, p catalog.LockedPlatform, d v1.Descriptor, sbom v1.Image) oci.Artifact {
	return oci.Artifact{Name: name + " SBOM " + p.Platform, Digest: d.Digest.String(), Image: sbom}
}
