package lint

// rule is one thing that the linter refuses.
type rule struct {
	name string
	// shared rules look at what all versions of a package have in common.
	shared bool
	check  func(*subject) []Finding
}

// rules are applied in this order. Each one's file tells why it is there.
func rules() []rule {
	return []rule{
		{"unlocked-image", false, checkImages},
		{"kapp-matcher-name", true, checkMatchers},
		{"freeze-rebase", false, checkRebase},
		{"schema-description", true, checkDescriptions},
		{"schema-example", true, checkExamples},
		{"helm-nondeterminism", false, checkCharts},
		{"secret-with-data", false, checkSecrets},
		{"into-ns", false, checkIntoNs},
		{"container-root", false, checkRoot},
		{"container-memory", false, checkMemory},
		{"crd-version-dropped", false, checkCRDs},
		{"upgrade-path", false, checkUpgradePath},
	}
}
