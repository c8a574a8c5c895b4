package lint

import "fmt"

// checkUpgradePath refuses a version without a way to it from the one before:
// who has that would be left behind, and would learn so only on the cluster.
// Upstreams that allow one minor version at a time say so by a narrow range.
func checkUpgradePath(s *subject) []Finding {
	if len(s.older) == 0 {
		return nil
	}
	before := s.older[len(s.older)-1].version.Version
	if s.version.MovesFrom(before) {
		return nil
	}
	message := fmt.Sprintf("%s is the version before it, and upgradesFrom (%q) does not admit that", before, s.version.UpgradesFrom)
	if s.version.UpgradesFrom == "" {
		message = fmt.Sprintf("upgradesFrom does not include %s, the version before it", before)
	}
	return []Finding{{
		File: s.versionFile, Message: message,
		Remedy: fmt.Sprintf("test the upgrade from %s and include it in upgradesFrom, or add the version in between", before),
	}}
}
