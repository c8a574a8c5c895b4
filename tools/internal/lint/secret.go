package lint

import (
	"fmt"
	"strings"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// checkSecrets refuses a Secret that comes with data. What is in a package is
// public and the same on every cluster, so it is no secret; and what a user or
// a controller puts there later is fought over at every reconcile. A Secret
// that is filled at run time ships empty.
func checkSecrets(s *subject) []Finding { return secretsWithData(s.final) }

func secretsWithData(objects []manifest.Object) []Finding {
	var findings []Finding
	for _, o := range objects {
		if o.GetKind() != "Secret" || o.GroupVersionKind().Group != "" {
			continue
		}
		var keys []string
		eachDatum(o.Object, func(_ map[string]any, field, key string) { keys = append(keys, fmt.Sprintf("%s[%q]", field, key)) })
		if len(keys) > 0 {
			findings = append(findings, at(o, "the Secret ships with "+strings.Join(keys, ", ")+", which is the same for everyone who has the package",
				"ship it empty for a controller to fill, or let a value name a Secret of the user's"))
		}
	}
	return findings
}
