package lint

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func chart(t *testing.T, template string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"chart/Chart.yaml":            "apiVersion: v2\nname: boat\nversion: 1.0.0\n",
		"chart/templates/secret.yaml": template,
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	}
	return dir
}

func TestChartFindings(t *testing.T) {
	findings, err := chartFindings(chart(t, "kind: Secret\n{{- if not (lookup \"v1\" \"Secret\" \"a\" \"b\") }}\npin: {{ randAlphaNum 8 | quote }}\n{{- end }}\n"), "chart")
	require.NoError(t, err)
	require.Len(t, findings, 2)
	require.Equal(t, "chart/templates/secret.yaml", findings[0].File)
	require.Equal(t, 2, findings[0].Line)
	require.Equal(t, "template function lookup", findings[0].Object)
	require.Equal(t, 3, findings[1].Line)
	require.Contains(t, findings[1].Message, "randAlphaNum gives something else each time")
}

func TestChartFindingsInGoodChart(t *testing.T) {
	findings, err := chartFindings(chart(t, "kind: Secret\nnote: randAlphaNum and lookup in prose\nname: {{ .Release.Name | quote }}\n"), "chart")
	require.NoError(t, err)
	require.Empty(t, findings)
	_, err = chartFindings(t.TempDir(), "gone")
	require.ErrorContains(t, err, "gone")
}
