package gitops

import (
	"github.com/strake-dev/strake/tools/internal/environment"
)

// needsOf are the Secrets and ConfigMaps that objects of an environment name and that none
// of them is or makes, sorted by namespace, kind and name.
func needsOf(packages []environment.Package) ([]environment.Missing, error) {
	missing, err := environment.MissingObjects(packages)
	if err != nil {
		return nil, err
	}
	var needs []environment.Missing
	for _, m := range missing {
		if !m.Joined && (m.Kind == environment.SecretKind || m.Kind == environment.ConfigMapKind) {
			needs = append(needs, m)
		}
	}
	return needs, nil
}
