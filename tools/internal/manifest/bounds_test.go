package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// aliasBomb is an object of 340 bytes that kustomize copies for many seconds.
func aliasBomb() string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\na0: &a0 [x]\n")
	for i := 1; i <= 6; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	return b.String()
}

func TestRenderRefusesBombs(t *testing.T) {
	for name, text := range map[string]string{
		"aliases": aliasBomb(),
		"nesting": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "\n",
	} {
		for _, kind := range []catalog.ManifestKind{catalog.Plain, catalog.Kustomize, catalog.Helm, catalog.Ytt} {
			t.Run(fmt.Sprint(name, " ", kind), func(t *testing.T) {
				dir := t.TempDir()
				for file, content := range map[string]string{
					"app/a.yaml": text, "app/kustomization.yaml": "resources: [a.yaml]\n",
					"app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n", "app/values.yaml": text,
				} {
					require.NoError(t, os.MkdirAll(filepath.Join(dir, "app"), 0o755))
					require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600))
				}
				m := catalog.Manifest{Kind: kind, Path: "app"}
				if kind == catalog.Helm {
					m.Release = &catalog.HelmRelease{Name: "a", Namespace: "a"}
				}
				start := time.Now()
				_, err := manifest.Render(t.Context(), dir, []catalog.Manifest{m})
				require.ErrorIs(t, err, untrusted.ErrLimit)
				require.ErrorContains(t, err, "app/a.yaml: line ")
				require.ErrorContains(t, err, "exclude the file with excludePaths")
				require.Less(t, time.Since(start), 5*time.Second)
			})
		}
	}
}
