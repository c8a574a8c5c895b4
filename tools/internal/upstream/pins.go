package upstream

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// pinsOfAll are the pins of a version's own module, which is the first, and of
// those in the folders below it.
type pinsOfAll []*pins

func readAllPins(v *catalog.Version) (pinsOfAll, error) {
	dirs, err := v.ModuleDirs()
	if err != nil {
		return nil, fmt.Errorf("reading the modules of a version: %w", err)
	}
	all := make(pinsOfAll, len(dirs))
	for i, dir := range dirs {
		if all[i], err = readPins(dir); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// share says for each path which go.mod it is taken from: the first that
// requires it. Two that pin it differently leave open which is meant.
func (all pinsOfAll) share(paths []string) (map[*pins]map[string]module, error) {
	asked := map[*pins]map[string]module{}
	for _, path := range paths {
		p, m, err := all.find(path)
		if err != nil {
			return nil, err
		}
		if asked[p] == nil {
			asked[p] = map[string]module{}
		}
		asked[p][path] = m
	}
	return asked, nil
}

func (all pinsOfAll) find(path string) (*pins, module, error) {
	var first *pins
	var chosen module
	for _, p := range all {
		m, err := p.find(path)
		switch {
		case err != nil:
			return nil, m, err
		case m.Version == "":
		case first == nil:
			first, chosen = p, m
		case m != chosen:
			return nil, m, fmt.Errorf("%s pins module %s to %s %s, but %s to %s %s: bring both to one with go get in their folders",
				first.modFile, path, chosen.Path, chosen.Version, p.modFile, m.Path, m.Version)
		}
	}
	if first == nil {
		return nil, chosen, all.missing(path)
	}
	return first, chosen, nil
}

func (all pinsOfAll) missing(path string) error {
	own := all[0].modFile
	nested := ""
	if len(all) > 1 {
		nested = ", nor do the modules below it"
	}
	return fmt.Errorf("%s does not require module %s%s: add it with go get -tool PACKAGE@VERSION in %s, or correct %s in vendir.yml",
		own, path, nested, filepath.Dir(own), modulePrefix+path)
}

// pins are what a go.mod of a version and the go.sum beside it say.
type pins struct {
	modFile string
	sumFile string
	mod     *modfile.File
	// sums maps "PATH VERSION" to the hash of the module's files.
	sums map[string]string
}

func readPins(dir string) (*pins, error) {
	p := &pins{modFile: filepath.Join(dir, "go.mod"), sumFile: filepath.Join(dir, "go.sum"), sums: map[string]string{}}
	data, err := os.ReadFile(p.modFile)
	if err != nil {
		return nil, fmt.Errorf("reading the modules of a version (make its go.mod with go mod init and go get -tool): %w", err)
	}
	if p.mod, err = modfile.Parse(p.modFile, data, nil); err != nil {
		return nil, fmt.Errorf("reading the modules of a version: %w", err)
	}
	sums, err := os.ReadFile(p.sumFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the sums of a version's modules: %w", err)
	}
	for line := range strings.Lines(string(sums)) {
		if f := strings.Fields(line); len(f) == 3 {
			p.sums[f[0]+" "+f[1]] = f[2]
		}
	}
	return p, nil
}

// find says what a module is pinned to; its version is empty where the go.mod
// does not require it. What is wrong with its pins is told here: asked without
// that, `go mod download` would add a missing sum without a word.
func (p *pins) find(path string) (module, error) {
	m := module{Path: path}
	for _, r := range p.mod.Require {
		if r.Mod.Path == path {
			m.Version = r.Mod.Version
		}
	}
	if m.Version == "" {
		return m, nil
	}
	m, err := p.replace(m)
	if err != nil {
		return m, err
	}
	if m.Sum = p.sums[m.Path+" "+m.Version]; m.Sum == "" {
		return m, fmt.Errorf("%s has no sum for %s %s: add it with go mod download %s in %s",
			p.sumFile, m.Path, m.Version, path, filepath.Dir(p.sumFile))
	}
	return m, nil
}

func (p *pins) replace(m module) (module, error) {
	for _, r := range p.mod.Replace {
		if r.Old.Path != m.Path || (r.Old.Version != "" && r.Old.Version != m.Version) {
			continue
		}
		if r.New.Version == "" {
			return m, fmt.Errorf("%s:%d: module %s is replaced by the folder %s, which no sum pins: replace it by a module with a version",
				p.modFile, r.Syntax.Start.Line, m.Path, r.New.Path)
		}
		return module{Path: r.New.Path, Version: r.New.Version}, nil
	}
	return m, nil
}

// copyTo copies go.mod and go.sum to a folder elsewhere. Folders that replace
// modules are named by absolute paths there: the go command reads their go.mod
// even when asked for another module.
func (p *pins) copyTo(dir string) error {
	data, err := os.ReadFile(p.modFile)
	if err != nil {
		return err
	}
	mod, err := modfile.Parse(p.modFile, data, nil)
	if err != nil {
		return err
	}
	for _, r := range p.mod.Replace {
		if r.New.Version != "" || filepath.IsAbs(r.New.Path) {
			continue
		}
		folder := filepath.Join(filepath.Dir(p.modFile), filepath.FromSlash(r.New.Path))
		if err := mod.AddReplace(r.Old.Path, r.Old.Version, folder, ""); err != nil {
			return err
		}
	}
	if data, err = mod.Format(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), data, 0o600); err != nil {
		return err
	}
	sums, err := os.ReadFile(p.sumFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600)
}
