package lint

import (
	"context"
	"path"
	"path/filepath"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

// checkCharts refuses a Helm template that asks the cluster, makes keys, or
// reads the clock, chance or the network. A package is rendered once, here, for
// everyone: lookup finds nothing, a key would be known to all, and the digest
// would be another at every build. The manifest stage refuses such a chart too;
// this tells all places at once.
func checkCharts(s *subject) []Finding { return s.charts }

// charts judges the version's Helm charts, and fetches nothing where it has none.
func charts(ctx context.Context, v *catalog.Version) ([]Finding, error) {
	var findings []Finding
	for _, m := range v.Manifests() {
		if m.Kind != catalog.Helm {
			continue
		}
		sources, err := upstream.Fetch(ctx, v)
		if err != nil {
			return nil, err
		}
		some, err := chartFindings(sources.Dir, m.Path)
		if err != nil {
			return nil, err
		}
		findings = append(findings, some...)
	}
	return findings, nil
}

// chartFindings judges the chart at a slash path below dir.
func chartFindings(dir, chart string) ([]Finding, error) {
	uses, err := manifest.NonDeterministic(filepath.Join(dir, filepath.FromSlash(chart)))
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, use := range uses {
		findings = append(findings, Finding{
			Object:  "template function " + use.Function,
			File:    path.Join(chart, use.File),
			Line:    use.Line,
			Message: "the chart renders differently each time: " + use.Function + " " + use.Reason,
			Remedy:  "render the project's plain manifests or a kustomization instead",
		})
	}
	return findings, nil
}
