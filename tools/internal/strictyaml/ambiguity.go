package strictyaml

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What YAML 1.1 (yaml.org/type) reads in its own way, and YAML 1.2 (its core schema) in
// another. A number that both read alike, and true, false and null, match none of them.
var (
	boolean11 = regexp.MustCompile(`^(?i:y|yes|on|n|no|off)$`)
	date11    = regexp.MustCompile(`^\d{4}-\d\d?-\d\d?($|[Tt ])`)
	sixty11   = regexp.MustCompile(`^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)
	// octal is one in 1.1 and decimal in 1.2. The other way round, 1.1 reads 0o17 as a string.
	octal   = regexp.MustCompile(`^[-+]?0[0-9_]+$`)
	octal12 = regexp.MustCompile(`^[-+]?0o[0-7]+$`)
	binary  = regexp.MustCompile(`^[-+]?0b[01_]+$`)
	// grouped are numbers with underscores, of which 1.2 knows none.
	grouped = regexp.MustCompile(`^[-+]?(0x[0-9a-fA-F_]*_[0-9a-fA-F_]*|[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?|[0-9_]*\.[0-9]*_[0-9_]*)([eE][-+]?[0-9]+)?$`)
	// power needs a point and the exponent's sign in 1.1.
	power   = regexp.MustCompile(`^[-+]?(\d+|\d*\.\d+|\d+\.)[eE][-+]?\d+$`)
	power11 = regexp.MustCompile(`^[-+]?(\d+\.\d*|\.\d+)[eE][-+]\d+$`)
	// endless has no form in JSON, in which values reach a cluster.
	endless = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

// ambiguity says why readers of YAML do not agree on an unquoted scalar, with the remedy,
// or returns nothing.
func ambiguity(n *yaml.Node) string {
	const unquoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle
	if n.Style&unquoted != 0 {
		return ""
	}
	text := n.Value
	quote := fmt.Sprintf("for the string, put it in quotes: %q", text)
	switch {
	case boolean11.MatchString(text):
		return fmt.Sprintf("%s is a boolean in YAML 1.1 and a string in YAML 1.2; write %t, or %s", text, truth(text), quote)
	case date11.MatchString(text):
		return fmt.Sprintf("%s is a date in YAML 1.1 and a string in YAML 1.2; %s", text, quote)
	case sixty11.MatchString(text):
		return fmt.Sprintf("%s is a number of base 60 in YAML 1.1 and a string in YAML 1.2; %s", text, quote)
	case octal.MatchString(text), octal12.MatchString(text):
		return fmt.Sprintf("%s is octal in one version of YAML only; write the decimal number, or %s", text, quote)
	case binary.MatchString(text), grouped.MatchString(text):
		return fmt.Sprintf("%s is a number in YAML 1.1 and a string in YAML 1.2; write the decimal number, or %s", text, quote)
	case power.MatchString(text) && !power11.MatchString(text):
		return fmt.Sprintf("%s is a string in YAML 1.1 and a number in YAML 1.2; write the decimal number, or %s", text, quote)
	case endless.MatchString(text):
		return fmt.Sprintf("%s is a number that JSON, and so Kubernetes, does not know; write a finite number, or %s", text, quote)
	case tooLarge(n):
		return fmt.Sprintf("%s is a number that not every reader keeps exactly; %s", text, quote)
	}
	return ""
}

func truth(text string) bool {
	switch strings.ToLower(text) {
	case "y", "yes", "on":
		return true
	}
	return false
}

// tooLarge tells whether a whole number is outside of what 64 bits hold, which some readers
// turn into a fraction.
func tooLarge(n *yaml.Node) bool {
	if tag := n.ShortTag(); tag != "!!int" && tag != "!!float" || strings.ContainsAny(n.Value, ".eEnNiI") {
		return false
	}
	_, err := strconv.ParseInt(n.Value, 0, 64)
	return err != nil
}
