package bundle

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// commonLoad finds what a ytt file loads of the files that packages share, as in
// load("/_common/check.star", "check").
var commonLoad = regexp.MustCompile(`load\("/` + catalog.CommonDir + `/([^"]+)"`)

// addCommon adds the shared files that the package loads, and those that these
// load. The others stay out, so that a change of a shared file alters only the
// bundles that use it.
func addCommon(files map[string][]byte, p *catalog.Package) error {
	for todo := slices.Sorted(maps.Keys(files)); len(todo) > 0; todo = todo[1:] {
		for _, match := range commonLoad.FindAllSubmatch(files[todo[0]], -1) {
			file := filepath.FromSlash(string(match[1]))
			name := commonDir + "/" + string(match[1])
			if _, done := files[name]; done {
				continue
			}
			if !filepath.IsLocal(file) {
				return fmt.Errorf("%s of package %s loads %s: it leaves the folder of shared files", todo[0], p.Name, name)
			}
			data, err := os.ReadFile(filepath.Join(p.Common(), file))
			if err != nil {
				return fmt.Errorf("reading what %s of package %s loads: %w", todo[0], p.Name, err)
			}
			files[name] = data
			todo = append(todo, name)
		}
	}
	return nil
}
