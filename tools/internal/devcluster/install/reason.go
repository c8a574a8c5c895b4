package install

import (
	"regexp"
	"strings"
)

// reasonLimit is how many characters of a reason fit beside other columns.
const reasonLimit = 200

var (
	// kapp names the object twice: "create deployment/a (apps/v1) namespace: b:
	// Creating resource deployment/a (apps/v1) namespace: b: API server says: …".
	twice = regexp.MustCompile(`: (?:Creating|Updating|Deleting) resource .*?: API server says: `)
	// tool is how kapp, ytt and the others begin an error.
	tool = regexp.MustCompile(`^(?:(?:kapp|ytt|kbld|vendir|imgpkg): )?Error: *`)
)

// Reason is the line of a message of kapp-controller's that says what is wrong,
// without what surrounds it.
func Reason(message string) string {
	lines := strings.FieldsFunc(message, func(r rune) bool { return r == '\n' })
	reason := ""
	for i, line := range lines {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "- must be") || strings.HasPrefix(line, "- missing"):
			return shortened(yttPath(lines[:i]) + strings.TrimPrefix(line, "- "))
		default:
			reason = line
		}
	}
	reason = tool.ReplaceAllString(reason, "")
	return shortened(twice.ReplaceAllString(reason, ": "))
}

// yttPath is the value that a complaint of ytt's validations is about: the last
// line above it that is neither a place nor another complaint.
func yttPath(above []string) string {
	for i := len(above) - 1; i >= 0; i-- {
		line := strings.TrimSpace(above[i])
		if line != "" && !strings.HasPrefix(line, "from: ") && !strings.HasPrefix(line, "- ") {
			return line + " "
		}
	}
	return ""
}

func shortened(text string) string {
	letters := []rune(text)
	if len(letters) <= reasonLimit {
		return text
	}
	return strings.TrimSpace(string(letters[:reasonLimit-1])) + "…"
}
