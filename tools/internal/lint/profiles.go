package lint

import (
	"path"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// checkProfiles refuses a package that users are offered and whose permissions are not
// declared: then every install gets what the default values need, and nobody said why
// that escalates.
func checkProfiles(s *subject) []Finding {
	if !s.published || len(s.version.Package.Profiles) > 0 {
		return nil
	}
	return []Finding{{
		File: s.packageFile, Message: "the package is published and declares no permissions",
		Remedy: "add " + path.Join(catalog.PermissionsDir, catalog.BaseProfile+".yml") + " with values that need no permissions that escalate, and a profile for each that does",
	}}
}
