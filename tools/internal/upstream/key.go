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
// vendir.yml, the version's go.mod, go.sum and vendir.lock.yml, and the
// version numbers that vendir.yml sees. It only reads these files.
func Key(v *catalog.Version) (string, error) {
	h := sha256.New()
	for _, s := range []string{format, v.Upstream, v.Version} {
		hashString(h, s)
	}
	for _, file := range inputs(v) {
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("hashing the inputs of %s: %w", v.ID(), err)
		}
		hashString(h, filepath.Base(file))
		hashString(h, string(data))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// inputs are the files that say what is fetched. One that is missing counts
// as empty here: whoever reads it for its content knows whether it may be.
func inputs(v *catalog.Version) []string {
	return []string{
		filepath.Join(v.Package.Dir, catalog.VendirFile),
		filepath.Join(v.Dir, "go.mod"),
		filepath.Join(v.Dir, "go.sum"),
		filepath.Join(v.Dir, catalog.VendirLockFile),
	}
}

// hashString writes the length too, so that no two lists of strings hash alike.
func hashString(h hash.Hash, s string) {
	_, _ = fmt.Fprintf(h, "%d\n%s\n", len(s), s)
}
