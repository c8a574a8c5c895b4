package gitops

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/zricethezav/gitleaks/v8/detect"
)

// refuseSecrets looks for what must not be in git in clear, and names it by its
// path in the values, never by itself. The schemas of the packages have no values
// that are secrets: all name Secrets. So whatever looks like one is a mistake.
func refuseSecrets(values map[string]any) error {
	leaks, err := gitleaks()
	if err != nil {
		return err
	}
	s := search{leaks: leaks}
	s.value("", "", values)
	return errors.Join(s.errs...)
}

// gitleaks has the rules that gitleaks comes with, some 220. What is base64 is
// looked into, as the data of a Secret in an overlay is.
var gitleaks = sync.OnceValues(func() (*detect.Detector, error) { //nolint:gochecknoglobals // its rules take a while to compile
	d, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		return nil, fmt.Errorf("reading gitleaks' rules: %w", err)
	}
	d.MaxDecodeDepth = 2
	return d, nil
})

// search walks values.
type search struct {
	leaks *detect.Detector
	errs  []error
}

// value visits all texts in the order of their paths, such as
// "packages.keda.values.http.proxy.https" or "exporters[0].endpoint". Key is what
// the value is called: its field, or the name beside it.
func (s *search) value(path, key string, value any) {
	switch value := value.(type) {
	case string:
		s.text(path, key, value)
	case []any:
		for i, item := range value {
			s.value(fmt.Sprintf("%s[%d]", path, i), key, item)
		}
	case map[string]any:
		name, named := value["name"].(string)
		for _, field := range slices.Sorted(maps.Keys(value)) {
			if s.is("", field) != "" {
				s.refuse(path, "a key with a secret in it") // which the paths below would print
				continue
			}
			called := field
			if field == "value" && named {
				called = name // an environment variable, a header, or metadata of the same form
			}
			s.value(strings.TrimPrefix(path+"."+field, "."), called, value[field])
		}
	}
}

func (s *search) text(path, key, text string) {
	if what := s.is(key, text); what != "" {
		s.refuse(path, what)
	}
}

func (s *search) refuse(path, what string) {
	s.errs = append(s.errs, fmt.Errorf("%s holds %s, which git would expose to all readers; remove it from config/, store it in a Secret with SOPS or External Secrets, and refer to that Secret by a value of the package or by --values-secret", path, what))
}

// is says what kind of secret a text is, or nothing.
func (s *search) is(key, text string) string {
	text = public.ReplaceAllString(text, "")
	for _, t := range tells {
		if t.pattern.MatchString(text) {
			return t.is
		}
	}
	if isCredential(text) && (headerName.MatchString(key) || passwordName.MatchString(key)) {
		return "the credentials of " + key
	}
	for _, match := range header.FindAllStringSubmatch(text, -1) {
		if isCredential(match[2]) {
			return "the HTTP header " + match[1]
		}
	}
	for _, finding := range s.leaks.DetectString(key + ": " + text + "\n") {
		if finding.RuleID != genericRule || !plainName.MatchString(finding.Secret) {
			return fmt.Sprintf("a secret by gitleaks' rule %q", finding.RuleID)
		}
	}
	return ""
}

// headers are those that carry credentials, in lower case.
const headers = `(?:proxy-)?authorization|(?:set-)?cookie|(?:x-)?api-?key|x-api-token|x-(?:auth|access|csrf|xsrf|session)-(?:token|key)|x-amz-security-token|` +
	`x-(?:vault|consul|gitlab|github|registry|sf|insight|otlp)-(?:token|auth|api-key)|private-token|job-token|dd-(?:api|application)-key|x-honeycomb-team|` +
	`x-functions-key|ocp-apim-subscription-key|lightstep-access-token|signoz-(?:access-token|ingestion-key)|x-goog-api-key|x-scope-password`

//nolint:gochecknoglobals // compiled once, and never changed
var (
	// tells are what gives a secret away, whatever it is called.
	tells = []struct {
		pattern *regexp.Regexp
		is      string
	}{
		{regexp.MustCompile(`-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----`), "a private key"},
		{regexp.MustCompile(`[a-z][a-z0-9+.-]*://[^/\s:@"']*:[^/\s@"']+@`), "a URL with a password"},
		{regexp.MustCompile(`(?i)\b(bearer|basic) [A-Za-z0-9+/=_.~-]{16,}`), "credentials of HTTP"},
		{regexp.MustCompile(`AGE-SECRET-KEY-1[0-9A-Z]{20,}`), "a key of age"},
	}
	// public is what only looks like a secret: a reference to a variable, a digest,
	// a certificate.
	public = regexp.MustCompile(`\$\{[^}]*\}|\$\([^)]*\)|\{\{.*?\}\}|\(@=.*?@\)|\bsha256:[0-9a-f]{64}\b|(?s:-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----)`)

	headerName = regexp.MustCompile(`(?i)^(?:` + headers + `)$`)
	// header is "NAME: VALUE" or "NAME=VALUE" within a text.
	header = regexp.MustCompile(`(?im)(?:^|[\s,;"'{])(` + headers + `)["']?[ \t]*[:=][ \t]*["']?([^\s"',;}][^"',;}\n]*)`)
	// passwordName are keys whose value is a password and nothing else.
	passwordName = regexp.MustCompile(`(?i)(?:passw(?:or)?d|passphrase)$`)

	// notCredentials are what configurations say of a header in the place of its
	// value, and the schemes that are left when a variable was taken out.
	notCredentials = regexp.MustCompile(`(?i)^(?:|keep|drop|redact|remove|true|false|null|bearer|basic|token|apikey|[|>][-+]?|#.*)$`)
	// plainName is the name of an object or a host, of words and short numbers.
	plainName = regexp.MustCompile(`^(?:[a-z]+[0-9]{0,4}|[0-9]{1,4})(?:[-.](?:[a-z]+[0-9]{0,4}|[0-9]{1,4}))*$`)
)

// genericRule is gitleaks' for "key = value" of which the value looks random. Names
// of Secrets, which have such keys, are random enough for it.
const genericRule = "generic-api-key"

func isCredential(text string) bool { return !notCredentials.MatchString(strings.TrimSpace(text)) }
