package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const document = `{"author": "Unknown Author", "statements": [
  {"vulnerability": {"name": "GO-2026-0001", "description": "A loop in net/x"}, "status": "affected"},
  {"vulnerability": {"name": "GO-2026-0002", "description": "A leak in net/y"}, "status": "not_affected"}]}`

func TestRun(t *testing.T) {
	excepted := "- {id: GO-2026-0001, reason: fixed by the next toolchain}\n"
	for name, test := range map[string]struct{ exceptions, document, want, fails string }{
		"excepted":            {excepted, document, "2 vulnerabilities in what is required, 1 affect", ""},
		"nothing found":       {"[]", `{"author": "x", "statements": []}`, "0 vulnerabilities", ""},
		"new":                 {"[]", document, "", "GO-2026-0001 (https://pkg.go.dev/vuln/GO-2026-0001): A loop in net/x: update the module"},
		"stale":               {excepted + "- {id: GO-2026-0002, reason: old}\n", document, "", "GO-2026-0002 no longer affects this module"},
		"no reason":           {"- {id: GO-2026-0001}\n", document, "", "with a reason"},
		"twice":               {excepted + excepted, document, "", "each ID stands once"},
		"a field unknown":     {"- {id: GO-2026-0001, why: no}\n", document, "", "unknown field"},
		"no document":         {"[]", "", "", "reading govulncheck's OpenVEX document"},
		"another's document":  {"[]", `{"config": {}}`, "", "no OpenVEX document"},
		"an interrupted scan": {"[]", document[:80], "", "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "exceptions.yml")
			require.NoError(t, os.WriteFile(file, []byte(test.exceptions), 0o600))
			var out bytes.Buffer
			err := run([]string{file}, strings.NewReader(test.document), &out)
			if test.fails != "" {
				require.ErrorContains(t, err, test.fails)
				return
			}
			require.NoError(t, err)
			require.Contains(t, out.String(), test.want)
		})
	}
}
