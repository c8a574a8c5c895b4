package lint

// checkProof refuses a package that users are offered and of which nothing says what
// it was seen doing on a cluster. README lists the packages by that.
func checkProof(s *subject) []Finding {
	if !s.published || s.version.Package.Proof != "" {
		return nil
	}
	return []Finding{{
		File: s.packageFile, Message: "the package is published and has no proof",
		Remedy: "add a test to test/ that runs the package on a cluster, and describe its result in proof",
	}}
}
