package lint

import (
	"testing"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

func TestVersionLabels(t *testing.T) {
	v := &catalog.Version{Version: "1.0.0+strake.2", Upstream: "1.0.0", Includes: []catalog.Software{{Name: "sail", Version: "7.1.0"}}}
	for label, want := range map[string]string{
		"1.0.0": "", "v1.0.0": "", "7.1.0": "", "1.0.0+strake.2": "",
		"devel": `app.kubernetes.io/version is "devel", but the package contains 1.0.0+strake.2, 1.0.0, 7.1.0`,
	} {
		labels := "{app.kubernetes.io/version: " + label + "}"
		for _, text := range []string{
			"apiVersion: v1\nkind: Service\nmetadata: {name: boat, labels: " + labels + "}\n",
			"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: boat}\nspec: {template: {metadata: {labels: " + labels + "}}}\n",
		} {
			requireFinding(t, want, versionLabels(v, objects(t, text)))
		}
	}
}
