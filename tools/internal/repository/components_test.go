package repository_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gotool"
	"github.com/strake-dev/strake/tools/internal/repository"
)

const collectorBuilder = "go.opentelemetry.io/collector/cmd/builder"

// TestNamesOfComponents compares the names that a collector's configuration may use with
// those that the modules of its build declare: type and deprecated_type in metadata.yaml.
// The package lists the names, because a bundle does not contain the modules.
func TestNamesOfComponents(t *testing.T) {
	tested := 0
	for _, p := range checkout(t).Packages {
		if !slices.ContainsFunc(p.Images, func(i catalog.Image) bool { return i.Generate != nil && i.Generate.Command == collectorBuilder }) {
			continue
		}
		for _, v := range p.Versions {
			tested++
			t.Run(p.Name+"@"+v.Version, func(t *testing.T) {
				b, err := repository.BuildVersion(context.Background(), checkout(t), v, repository.Options{})
				require.NoError(t, err)
				for section, names := range declaredNames(t, filepath.Join(p.Dir, v.Version)) {
					require.Equal(t, names, acceptedNames(t, b, section), "%s: correct the names in config/lib/builds.star of the package", section)
				}
			})
		}
	}
	require.NotZero(t, tested)
}

// declaredNames are the names that the modules of builder.yml declare, sorted, by section.
func declaredNames(t *testing.T, dir string) map[string][]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "builder.yml"))
	require.NoError(t, err)
	type component struct{ Gomod string }
	var build struct{ Receivers, Processors, Exporters, Connectors, Extensions []component }
	require.NoError(t, yaml.Unmarshal(content, &build))
	sections := map[string][]component{
		"receivers": build.Receivers, "processors": build.Processors, "exporters": build.Exporters,
		"connectors": build.Connectors, "extensions": build.Extensions,
	}
	var modules []string
	for _, components := range sections {
		for _, c := range components {
			modules = append(modules, c.Gomod)
		}
	}
	folders := download(t, dir, modules)
	names := map[string][]string{}
	for section, components := range sections {
		for _, c := range components {
			names[section] = append(names[section], namesIn(t, filepath.Join(folders[c.Gomod], "metadata.yaml"))...)
		}
		slices.Sort(names[section])
	}
	return names
}

func namesIn(t *testing.T, file string) []string {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var metadata struct {
		Type       string `json:"type"`
		Deprecated string `json:"deprecated_type"`
	}
	require.NoError(t, yaml.Unmarshal(content, &metadata))
	require.NotEmpty(t, metadata.Type, file)
	if metadata.Deprecated == "" {
		return []string{metadata.Type}
	}
	return []string{metadata.Type, metadata.Deprecated}
}

// download returns the folders of modules, in the versions of the go.mod in dir.
func download(t *testing.T, dir string, modules []string) map[string]string {
	t.Helper()
	cmd, err := gotool.Command(t.Context(), append([]string{"mod", "download", "-json"}, modules...)...)
	require.NoError(t, err)
	var stderr bytes.Buffer
	cmd.Dir, cmd.Stderr = dir, &stderr
	output, err := cmd.Output()
	require.NoError(t, err, "%s%s", output, &stderr)
	folders := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); decoder.More(); {
		var module struct{ Path, Dir string }
		require.NoError(t, decoder.Decode(&module))
		folders[module.Path] = module.Dir
	}
	return folders
}

var contained = regexp.MustCompile(`does not contain none; it contains (.*?): use one of these`)

// acceptedNames are the names that the error for an unknown component lists.
func acceptedNames(t *testing.T, b *bundle.Bundle, section string) []string {
	t.Helper()
	values := fmt.Sprintf("agent: {config: {%s: {none: {}}}}", section)
	_, err := bundle.Render(context.Background(), b, []bundle.ValuesFile{{Name: "values.yml", Data: []byte(values)}}, bundle.RenderOptions{})
	require.Error(t, err)
	found := contained.FindStringSubmatch(err.Error())
	require.NotNil(t, found, "%v", err)
	return strings.Split(found[1], ", ")
}
