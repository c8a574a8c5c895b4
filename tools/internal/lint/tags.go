package lint

import (
	"fmt"

	"github.com/strake-dev/strake/tools/internal/bundle"
)

// checkTags refuses two versions with one tag. A tag cannot hold "+", so
// 1.1.0-strake.2 and 1.1.0+strake.2 are both pushed as 1.1.0-strake.2, and who comes
// last takes the tag away from the other.
func checkTags(s *subject) []Finding {
	var findings []Finding
	tag := bundle.Tag(s.version.Package.Name, s.version.Version)
	for _, older := range s.older {
		if bundle.Tag(older.version.Package.Name, older.version.Version) == tag {
			findings = append(findings, Finding{
				File: s.versionFile, Message: fmt.Sprintf("its bundle has the same tag %s as the bundle of %s", tag, older.version.Version),
				Remedy: "give one of the two folders another version",
			})
		}
	}
	return findings
}
