package lint

// rule is one thing that the linter refuses.
type rule struct {
	name  string
	scope scope
	check func(*subject) []Finding
}

// scope is what a rule is a matter of.
type scope int

const (
	// shared by all versions of a package.
	shared scope = iota
	// one version with its default values. With others, a finding may be what the
	// user asks for: an image of their own, no limit of memory.
	defaults
	// always, whatever the values.
	always
)

// rules are applied in this order. Each one's file tells why it is there.
func rules() []rule {
	return []rule{
		{"unlocked-image", defaults, checkImages},
		{"kapp-matcher-name", shared, checkMatchers},
		{"freeze-rebase", always, checkRebase},
		{"schema-description", shared, checkDescriptions},
		{"schema-example", shared, checkExamples},
		{"helm-nondeterminism", defaults, checkCharts},
		{"secret-with-data", defaults, checkSecrets},
		{"into-ns", defaults, checkIntoNs},
		{"container-root", defaults, checkRoot},
		{"container-memory", defaults, checkMemory},
		{"impatient-liveness", always, checkLiveness},
		{"crd-version-dropped", defaults, checkCRDs},
		{"upgrade-path", defaults, checkUpgradePath},
		{"undone-by-update", always, checkUndone},
		{"unrecorded-difference", always, checkUnrecorded},
		{"record-conflict", always, checkConflicts},
		{"missing-reference", always, checkMissing},
		{"server-order", always, checkOrder},
		{"order-without-wait", always, checkAwaited},
		{"webhook-without-wait", defaults, checkWebhooks},
		{"wait-without-pause", always, checkRestless},
		{"version-label", always, checkVersionLabels},
		{"example-checksum", always, checkExampleChecksums},
		{"unknown-kind", always, checkKinds},
		{"duplicate-object", always, checkTwins},
		{"duplicate-tag", defaults, checkTags},
		{"missing-proof", shared, checkProof},
		{"missing-permissions", shared, checkProfiles},
		{editorBackup, shared, checkBackups},
	}
}

// Rules is the number of rules.
func Rules() int { return len(rules()) }

// editorBackup is also what is found outside of packages.
const editorBackup = "editor-backup"
