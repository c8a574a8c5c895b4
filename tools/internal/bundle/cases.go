package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// OwnRights is the file, with a reason in it, of a render case that needs more
// rights than a bundle ships: more than most who install it would want to give.
const OwnRights = "own-rights"

// Cases are the values, by name, of the render cases of a package that hold for
// a version: those of packages/NAME/test that do not show an error, are not
// another version's and do not need rights of their own. A case without values is
// the default, named "".
func Cases(v *catalog.Version) (map[string][]byte, error) {
	cases := map[string][]byte{"": nil}
	files, err := filepath.Glob(filepath.Join(v.Package.Dir, "test", "*", "values.yml"))
	if err != nil {
		return nil, fmt.Errorf("looking for render cases: %w", err)
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		if catalog.IsBackup(filepath.Base(dir)) {
			continue
		}
		if holds, err := caseHolds(dir, v.Version); err != nil || !holds {
			if err != nil {
				return nil, err
			}
			continue
		}
		values, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("reading a render case: %w", err)
		}
		cases[filepath.Base(dir)] = values
	}
	return cases, nil
}

// caseHolds tells whether a case is about a version, and about its objects.
func caseHolds(dir, version string) (bool, error) {
	for _, other := range []string{"error.txt", OwnRights} {
		if _, err := os.Stat(filepath.Join(dir, other)); err == nil {
			return false, nil
		}
	}
	only, err := os.ReadFile(filepath.Join(dir, "version"))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading a render case: %w", err)
	}
	return strings.TrimSpace(string(only)) == version, nil
}
