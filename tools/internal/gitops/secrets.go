package gitops

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// tells are what gives a secret away, whatever value it stands in. The schemas of
// the packages have no values that are secrets by themselves: all name Secrets.
var tells = []struct { //nolint:gochecknoglobals // compiled once, and never changed
	pattern *regexp.Regexp
	is      string
}{
	{regexp.MustCompile(`-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----`), "a private key"},
	{regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^/\s:@"']*:[^/\s@"']+@`), "a URL with a password"},
	{regexp.MustCompile(`(?i)\b(bearer|basic) [A-Za-z0-9+/=_.~-]{16,}`), "credentials of HTTP"},
	{regexp.MustCompile(`AGE-SECRET-KEY-1[0-9A-Z]{20,}`), "a key of age"},
}

// refuseSecrets looks for what must not be in git in clear, and names it by its
// path in the values.
func refuseSecrets(values map[string]any) error {
	var errs []error
	eachText("", values, func(path, text string) {
		for _, t := range tells {
			if t.pattern.MatchString(text) {
				errs = append(errs, fmt.Errorf("%s holds %s, which would be in git for all to read; take it out of config/, keep it in a Secret by SOPS or External Secrets, and name that: by a value of the package for it, or by --values-secret", path, t.is))
			}
		}
	})
	return errors.Join(errs...)
}

// eachText visits the texts of values in the order of their paths, such as
// "packages.keda.values.http.proxy.https" or "exporters[0].endpoint".
func eachText(path string, value any, visit func(path, text string)) {
	switch value := value.(type) {
	case string:
		visit(path, value)
	case []any:
		for i, item := range value {
			eachText(fmt.Sprintf("%s[%d]", path, i), item, visit)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			eachText(strings.TrimPrefix(path+"."+key, "."), value[key], visit)
		}
	}
}
