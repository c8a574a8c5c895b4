package environment_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/environment"
	"github.com/strake-dev/strake/tools/internal/repository"
)

var update = flag.Bool("update", false, "rewrite the golden files of all environments")

// TestEnvironmentsAsReviewed compares each environment with testdata/ENV.txt: its
// packages with their versions, and what differs from the packages' own defaults,
// by package, object and field.
func TestEnvironmentsAsReviewed(t *testing.T) {
	c := checkout(t)
	names, err := c.Environments()
	require.NoError(t, err)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			e, err := c.Environment(name)
			require.NoError(t, err)
			packages := rendered(t, c, name)
			differences, err := environment.Diff(environment.Stored(defaults(t, c, e, packages)), environment.Stored(packages))
			require.NoError(t, err)
			var text strings.Builder
			for _, p := range packages {
				fmt.Fprintf(&text, "%s\n", p.Version.ID())
			}
			text.WriteString("\n")
			require.NoError(t, environment.Print(&text, differences))
			file := filepath.Join("testdata", name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), text.String(), "if the change is wanted: go test ./tools/internal/environment -run TestEnvironmentsAsReviewed -update")
		})
	}
}

// defaults are the same versions from the same registry, without any values.
func defaults(t *testing.T, c *catalog.Catalog, e *catalog.Environment, packages []environment.Package) []environment.Package {
	t.Helper()
	var plain []environment.Package
	for _, p := range packages {
		objects, err := repository.Render(t.Context(), c, p.Version, nil, bundle.RenderOptions{Repository: cmp.Or(e.Registry, c.Repository.Canonical)})
		require.NoError(t, err)
		plain = append(plain, environment.Package{Version: p.Version, Objects: objects})
	}
	return plain
}
