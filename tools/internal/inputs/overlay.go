package inputs

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/strake-dev/strake/tools/internal/ytt"
)

// overlayText says why an overlay was not applied, without its place.
func overlayText(e *ytt.OverlayError) string {
	switch {
	case e.Want != "" && e.At == "":
		return matchesText(e)
	case e.Want != "" && e.Matches == 0:
		text := fmt.Sprintf("overlay: %s matches nothing", e.At)
		if e.Matcher != "" {
			text += ": " + e.Matcher
		} else {
			text += "; correct the key, or add #@overlay/match missing_ok=True above it to create it"
		}
		return text + chosen(e)
	case e.At != "":
		return fmt.Sprintf("overlay: %s: %s%s", e.At, e.Reason, chosen(e))
	}
	return fmt.Sprintf("overlay: %s%s", e.Reason, chosen(e))
}

// chosen says which objects the overlay is for.
func chosen(e *ytt.OverlayError) string {
	if e.Document == "" || e.Document == e.Matcher {
		return ""
	}
	return " (in what is chosen by " + e.Document + ")"
}

func matchesText(e *ytt.OverlayError) string {
	matcher := cmp.Or(e.Document, "its overlay/match")
	if e.Matches == 0 {
		text := "overlay matches no object: " + matcher
		if len(e.Nearest) > 0 {
			text += "; nearest: " + strings.Join(e.Nearest, ", ")
		}
		return text
	}
	text := fmt.Sprintf("overlay matches %d objects where %s is expected: %s", e.Matches, e.Want, matcher)
	if len(e.Nearest) > 0 {
		return text + "; they are: " + strings.Join(e.Nearest, ", ")
	}
	return text + "; " + e.Reason
}

// longestFirst keeps a name from being found within a longer one.
func longestFirst(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) }
