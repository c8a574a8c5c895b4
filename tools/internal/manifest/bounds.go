package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// checkSources refuses YAML whose aliases or nesting would make kustomize, helm
// or ytt take memory and time out of proportion. A template that is no YAML yet
// is checked when it has been rendered.
func checkSources(sources fs.FS) error {
	var errs []error
	err := fs.WalkDir(sources, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !isManifest(name) && path.Base(name) != "Kustomization" {
			return err
		}
		data, err := fs.ReadFile(sources, name)
		if err != nil {
			return err
		}
		if err := untrusted.YAML(data); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w: exclude the file with excludePaths, or take another version of the source", name, err))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}
