package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"
)

// benched is the environment that is rendered: production has the most objects.
const benched = "prod"

// benchEnvironment compares `strake env render` of a whole environment with ytt
// and kbld, started for one package after the other with the same values and
// overlays. They start from bundles that were pulled before, and know already
// which packages there are: the platform's own rendering is strake's alone.
func (b *bench) benchEnvironment(ctx context.Context) error {
	render := command{dir: b.checkout, args: []string{b.strake, "env", "render", benched}}
	text, _, err := render.output(ctx)
	if err != nil {
		return err
	}
	byHand, err := b.renderByHand(ctx, string(text))
	if err != nil {
		return err
	}
	contenders := []contender{{"strake", render.run}, {"ytt+kbld", byHand.run}}
	all, err := b.compare(ctx, contenders...)
	if err != nil {
		return err
	}
	b.report.rows("render the environment "+benched, contenders, all)
	return nil
}

// renderByHand are the commands that render each package which the platform
// installed in what strake has rendered.
func (b *bench) renderByHand(ctx context.Context, rendered string) (commands, error) {
	values := command{dir: b.checkout, args: []string{b.strake, "env", "values", benched}}
	text, _, err := values.output(ctx)
	if err != nil {
		return nil, err
	}
	var environment struct {
		Packages map[string]struct {
			Values   map[string]any    `json:"values"`
			Overlays map[string]string `json:"overlays"`
		} `json:"packages"`
	}
	if err := yaml.Unmarshal(text, &environment); err != nil {
		return nil, fmt.Errorf("reading the values of %s: %w", benched, err)
	}
	var all commands
	for line := range strings.SplitSeq(rendered, "\n") {
		id, isHead := strings.CutPrefix(line, "# ")
		name, version, _ := strings.Cut(id, " ")
		p, installed := environment.Packages[name]
		if !isHead || !installed {
			continue
		}
		files := map[string]any{"values.yml": p.Values}
		for overlay, content := range p.Overlays {
			files[overlay] = content
		}
		dir, err := b.write("by-hand/"+name, files)
		if err != nil {
			return nil, err
		}
		all = append(all, b.yttAndKbld(filepath.Join(b.dir, "loop", name+"-"+version), dir, len(p.Overlays) > 0)...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("strake env render %s printed no package that its values name", benched)
	}
	return all, nil
}

// yttAndKbld render a pulled bundle with the values and overlays of a folder.
func (b *bench) yttAndKbld(bundle, dir string, overlays bool) commands {
	rendered := dir + "-rendered" // not in dir, which ytt reads
	ytt := []string{b.tools["ytt"], "-f", filepath.Join(bundle, "config"), "--data-values-file", filepath.Join(dir, "values.yml"), "--output-files", rendered}
	if overlays {
		ytt = append(ytt, "-f", dir, "--file-mark", "values.yml:exclude=true")
	}
	return commands{{args: ytt}, {args: []string{b.tools["kbld"], "-f", rendered, "-f", filepath.Join(bundle, ".imgpkg")}}}
}

// write puts texts, or values as YAML, into files of a folder of the bench's.
func (b *bench) write(folder string, files map[string]any) (string, error) {
	dir := filepath.Join(b.dir, folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("making %s: %w", folder, err)
	}
	for name, content := range files {
		text, isText := content.(string)
		if !isText {
			data, err := yaml.Marshal(content)
			if err != nil {
				return "", fmt.Errorf("printing %s: %w", name, err)
			}
			text = string(data)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("writing %s of %s: %w", name, folder, err)
		}
	}
	return dir, nil
}
