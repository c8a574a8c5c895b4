package upstream

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// format changes whenever the same inputs would give other files, so that
// nobody is served what an older program fetched.
const format = "strake upstream 1"

// Key is the hash (hex) of everything that decides what [Fetch] answers with:
// vendir.yml, the version's vendir.lock.yml, go.mod and go.sum of all of its
// modules, and the values that vendir.yml sees. It only reads these
// files.
func Key(v *catalog.Version) (string, error) {
	h := sha256.New()
	for _, s := range append([]string{format, v.Upstream, v.Version}, leftOut(v)...) {
		hashString(h, s)
	}
	files, err := inputs(v)
	if err != nil {
		return "", fmt.Errorf("hashing the inputs of %s: %w", v.ID(), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("hashing the inputs of %s: %w", v.ID(), err)
		}
		name, err := filepath.Rel(v.Package.Dir, file)
		if err != nil {
			return "", fmt.Errorf("hashing the inputs of %s: %w", v.ID(), err)
		}
		hashString(h, filepath.ToSlash(name))
		hashString(h, string(data))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// inputs are the files that say what is fetched. One that is missing counts
// as empty here: whoever reads it for its content knows whether it may be.
func inputs(v *catalog.Version) ([]string, error) {
	files := []string{
		filepath.Join(v.Package.Dir, catalog.VendirFile),
		filepath.Join(v.Dir, catalog.VendirLockFile),
	}
	dirs, err := v.ModuleDirs()
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		files = append(files, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum"))
	}
	return files, nil
}

// hashString writes the length too, so that no two lists of strings hash alike.
func hashString(h hash.Hash, s string) {
	_, _ = fmt.Fprintf(h, "%d\n%s\n", len(s), s)
}
