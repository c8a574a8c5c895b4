package lint

import (
	"fmt"
	"hash/crc32"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

const exampleChecksum = "knative.dev/example-checksum"

// checkExampleChecksums refuses a ConfigMap of the Knative family whose example
// is not the one that its checksum is of: the webhook of such ConfigMaps then
// refuses every change to it, on the cluster alone. An overlay that edits an
// example, for a namespace or a domain, leaves the checksum as it was.
func checkExampleChecksums(s *subject) []Finding { return wrongChecksums(s.final) }

func wrongChecksums(objects []manifest.Object) []Finding {
	var findings []Finding
	for _, o := range objects {
		said, found := o.GetAnnotations()[exampleChecksum]
		example, _, _ := unstructured.NestedString(o.Object, "data", "_example")
		if is := checksum(example); found && said != is {
			findings = append(findings, at(o, fmt.Sprintf("%s is %s, and that of its _example would be %s, so its webhook refuses it", exampleChecksum, said, is),
				"remove example and annotation by an overlay, or leave the example as it is"))
		}
	}
	return findings
}

var newlines = regexp.MustCompile("(?:\r?\n)+")

// checksum is of a text without what an editor may change in its ends of line:
// any number of them counts as one backslash and one n.
func checksum(text string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(newlines.ReplaceAllString(strings.TrimSpace(text), `\n`))))
}
