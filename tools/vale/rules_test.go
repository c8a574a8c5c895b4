// Package vale tests the rules in tools/vale/Strake, with which "make lint" checks the
// documentation. The rules run in Vale alone, which is compiled with cgo; this test
// covers their patterns, and "make lint" runs Vale itself over testdata/.
package vale

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// patterns returns all patterns of a rule, as Vale applies them: between the
// boundaries of words, in any case.
func patterns(t *testing.T, file string) map[string]*regexp.Regexp {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var rule struct {
		Level  string            `json:"level"`
		Swap   map[string]string `json:"swap"`
		Tokens []string          `json:"tokens"`
	}
	require.NoError(t, yaml.Unmarshal(text, &rule))
	require.Equal(t, "error", rule.Level, "Vale fails for errors alone")
	for pattern := range rule.Swap {
		rule.Tokens = append(rule.Tokens, pattern)
	}
	found := map[string]*regexp.Regexp{}
	for _, pattern := range rule.Tokens {
		found[pattern] = regexp.MustCompile(`(?i)\b(?:` + pattern + `)\b`)
	}
	return found
}

// lines returns the sentences of a file in testdata/.
func lines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	var found []string
	for line := range strings.Lines(string(text)) {
		if sentence, isItem := strings.CutPrefix(strings.TrimSpace(line), "- "); isItem {
			found = append(found, sentence)
		}
	}
	require.NotEmpty(t, found)
	return found
}

// Every pattern matches a sentence of refused.md, every such sentence has a pattern,
// and none matches the sentences of accepted.md, which use the same words rightly.
func TestRules(t *testing.T) {
	rules, err := filepath.Glob("Strake/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, rules)
	refused, matched := lines(t, "refused.md"), map[string]bool{}
	for _, file := range rules {
		for pattern, expression := range patterns(t, file) {
			hits := 0
			for _, sentence := range refused {
				if expression.MatchString(sentence) {
					matched[sentence], hits = true, hits+1
				}
			}
			require.Positive(t, hits, "%s: add a sentence for %q to testdata/refused.md", file, pattern)
			for _, sentence := range lines(t, "accepted.md") {
				require.False(t, expression.MatchString(sentence), "%s: %q refuses %q", file, pattern, sentence)
			}
		}
	}
	for _, sentence := range refused {
		require.True(t, matched[sentence], "no rule refuses %q", sentence)
	}
}
