package catalog

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

const (
	goModFile = "go.mod"
	goSumFile = "go.sum"
)

// commands are the main packages that images are built from, or whose sources
// are written by, each once.
func commands(images []Image) []string {
	var list []string
	for _, img := range images {
		for _, command := range append([]string{img.pinned()}, img.With...) {
			if command != "" && !slices.Contains(list, command) {
				list = append(list, command)
			}
		}
	}
	return list
}

// modules finds the version's Go modules: its own folder, each folder below it
// that holds a go.mod, for commands that do not resolve together with the others,
// and each such folder beside the versions, for programs of the package's own.
// Every command must be pinned by a tool directive of exactly one of them, which
// is what keeps the command's modules in go.sum.
func (l *loader) modules(dir string, images []Image) map[string]string {
	dirs := map[string]string{}
	others := append(l.nested(dir), l.programs(path.Dir(dir))...)
	line, sound := 1, true
	if len(others) == 0 || l.isModule(dir) {
		line, sound = l.module(dir, dirs)
	}
	for _, name := range others {
		_, ok := l.module(name, dirs)
		sound = sound && ok
	}
	for _, command := range commands(images) {
		if sound && dirs[command] == "" {
			l.problems = append(l.problems, problem{path.Join(dir, goModFile), line, fmt.Sprintf(
				`no tool directive for %s, which %s builds; run "go get -tool %s@VERSION" here`, command, PackageFile, command)})
		}
	}
	for _, img := range images {
		if home := dirs[img.pinned()]; img.Generate != nil && home != "" {
			dirs[img.Command] = home
			l.generatorFiles(home, img)
		}
	}
	return dirs
}

// pinned is the command that a tool directive must name for the image.
func (img Image) pinned() string {
	if img.Generate != nil {
		return img.Generate.Command
	}
	return img.Command
}

// generatorFiles wants the files that an image's generator reads.
func (l *loader) generatorFiles(dir string, img Image) {
	for _, name := range img.Generate.Files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			l.bad(l.relative(file), "missing; %s names it as a file from which the sources of image %s are generated", PackageFile, img.Name)
		}
	}
}

// nested are the folders below another that hold a module.
func (l *loader) nested(dir string) []string {
	var found []string
	for _, e := range l.entries(dir) {
		if name := path.Join(dir, e.Name()); l.isModule(name) {
			found = append(found, name)
		}
	}
	return found
}

// programs are the modules beside a package's versions.
func (l *loader) programs(dir string) []string {
	return slices.DeleteFunc(l.nested(dir), func(name string) bool { return isVersion(path.Base(name)) })
}

func (l *loader) isModule(dir string) bool { return isModule(l.path(dir)) }

// ModuleDirs are the folders of the version's Go modules, absolute: its own,
// whether or not there is a go.mod in it, and each below it that holds one.
func (v *Version) ModuleDirs() ([]string, error) {
	entries, err := os.ReadDir(v.Dir)
	if err != nil {
		return nil, err
	}
	dirs := []string{v.Dir}
	for _, e := range entries {
		if dir := filepath.Join(v.Dir, e.Name()); isModule(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// ModuleVersion is the version, without "v", of the Go module that a command is
// in, as the go.mod that pins it requires it.
func (v *Version) ModuleVersion(command string) (string, error) {
	name := filepath.Join(v.Module(command), goModFile)
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	mod, err := modfile.ParseLax(name, data, nil)
	if err != nil {
		return "", err
	}
	best := module.Version{}
	for _, r := range mod.Require {
		inside := command == r.Mod.Path || strings.HasPrefix(command, r.Mod.Path+"/")
		if inside && len(r.Mod.Path) > len(best.Path) {
			best = r.Mod
		}
	}
	if best.Path == "" {
		return "", fmt.Errorf("%s requires no module that contains %s", name, command)
	}
	return strings.TrimPrefix(best.Version, "v"), nil
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, goModFile))
	return err == nil
}

// module adds the tool directives of one go.mod to dirs, and answers with the
// line of the last and whether the file is sound.
func (l *loader) module(dir string, dirs map[string]string) (last int, sound bool) {
	last, tools := 1, len(dirs)
	sound = l.read(path.Join(dir, goModFile), `run "go mod init" and "go get -tool PACKAGE@VERSION" here`, func(f *file, data []byte) {
		readTools(f, data, func(line int, tool string) {
			if first := dirs[tool]; first != "" {
				f.badLine(line, "%s is pinned in %s too; keep one of the two", tool, l.relative(first))
				return
			}
			dirs[tool], last = l.path(dir), line
		})
	})
	if tools == len(dirs) {
		return last, sound // a stand-in for some module, which a replace directive names
	}
	if _, err := os.Stat(l.path(path.Join(dir, goSumFile))); err != nil {
		l.bad(path.Join(dir, goSumFile), `missing; run "go get -tool PACKAGE@VERSION" here`)
	}
	return last, sound
}

func readTools(f *file, data []byte, add func(line int, tool string)) {
	mod, err := modfile.Parse(f.name, data, nil)
	if err != nil {
		modSyntax(f, err)
		return
	}
	for _, tool := range mod.Tool {
		add(tool.Syntax.Start.Line, tool.Path)
	}
}

func modSyntax(f *file, err error) {
	var list modfile.ErrorList
	if !errors.As(err, &list) {
		f.badLine(1, "%v", err)
		return
	}
	for _, e := range list {
		text := e.Err.Error()
		if e.Verb != "" {
			text = strings.TrimSpace(e.Verb+" "+e.ModPath) + ": " + text
		}
		f.badLine(max(e.Pos.Line, 1), "%s", text)
	}
}
