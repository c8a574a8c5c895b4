package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"
	"golang.org/x/mod/modfile"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// module is a Go module as a version's go.mod pins it.
type module struct {
	// Path and Version are those of the replacement where there is one, as
	// `go mod download -json` prints them.
	Path    string
	Version string
	// Dir is the module's folder in the module cache. It is read-only.
	Dir string
	// Sum is go.sum's hash of the module's files, "h1:…".
	Sum   string
	Error string
}

// resolveModules finds the folder of each module, downloading those that are
// missing, and checks them against the version's go.sum.
func resolveModules(ctx context.Context, v *catalog.Version, paths []string) (map[string]module, error) {
	modules := map[string]module{}
	if len(paths) == 0 {
		return modules, nil
	}
	pins, err := readPins(v.Dir)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if modules[path], err = pins.find(path); err != nil {
			return nil, err
		}
	}
	found, err := download(ctx, v, paths)
	if err != nil {
		return nil, err
	}
	for path, want := range modules {
		if modules[path], err = pins.verify(path, want, found); err != nil {
			return nil, err
		}
	}
	return modules, nil
}

// pins are what a version's go.mod and go.sum say.
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

// find says what a module is pinned to, or what is wrong with its pins: asked
// without that, `go mod download` would add a missing sum without a word.
func (p *pins) find(path string) (module, error) {
	m := module{Path: path}
	for _, r := range p.mod.Require {
		if r.Mod.Path == path {
			m.Version = r.Mod.Version
		}
	}
	if m.Version == "" {
		return m, fmt.Errorf("%s does not require module %s: add it with go get -tool PACKAGE@VERSION in %s, or correct %s in vendir.yml",
			p.modFile, path, filepath.Dir(p.modFile), modulePrefix+path)
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

// verify picks a module from what the go command found and compares its
// folder with go.sum. The go command checks archives as they arrive; the
// folder may have been changed since.
func (p *pins) verify(path string, want module, found []module) (module, error) {
	i := slices.IndexFunc(found, func(m module) bool { return m.Path == want.Path && m.Version == want.Version })
	if i < 0 {
		return want, fmt.Errorf("%s pins %s to %s %s, but the go command takes another version: bring the file up to date with go get in %s",
			p.modFile, path, want.Path, want.Version, filepath.Dir(p.modFile))
	}
	m := found[i]
	got, err := dirhash.HashDir(m.Dir, m.Path+"@"+m.Version, dirhash.Hash1)
	if err != nil {
		return m, fmt.Errorf("hashing the files of module %s: %w", m.Path, err)
	}
	if got != want.Sum {
		return m, fmt.Errorf("module %s@%s in %s is not what %s says: its files hash to %s, not %s; have it unpacked again with go clean -modcache",
			m.Path, m.Version, m.Dir, p.sumFile, got, want.Sum)
	}
	m.Sum = want.Sum
	return m, nil
}

// download runs `go mod download` in a copy of the version's module, because
// the go command may write to go.sum.
func download(ctx context.Context, v *catalog.Version, paths []string) ([]module, error) {
	temp, err := os.MkdirTemp("", "strake-module-")
	if err != nil {
		return nil, fmt.Errorf("making a folder to resolve modules in: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(filepath.Join(v.Dir, name), filepath.Join(temp, name)); err != nil {
			return nil, err
		}
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", append([]string{"mod", "download", "-json"}, paths...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = temp, &stdout, &stderr
	flags := os.Getenv("GOFLAGS") + " -mod=readonly -buildvcs=false"
	cmd.Env = append(os.Environ(), "GOFLAGS="+flags, "GOWORK=off")
	runErr := cmd.Run()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return parseDownloads(stdout.Bytes(), paths, errors.Join(runErr, text(stderr.String())))
}

// parseDownloads reads the stream of JSON objects, one a module in the order
// asked for. Errors of single modules are in it.
func parseDownloads(stdout []byte, paths []string, runErr error) ([]module, error) {
	var found []module
	dec := json.NewDecoder(bytes.NewReader(stdout))
	for dec.More() {
		var m module
		if err := dec.Decode(&m); err != nil {
			return nil, fmt.Errorf("reading what go mod download says: %w", err)
		}
		if m.Error != "" {
			return nil, fmt.Errorf("downloading module %s@%s: %s", m.Path, m.Version, m.Error)
		}
		found = append(found, m)
	}
	if len(found) != len(paths) {
		return nil, fmt.Errorf("downloading modules %s: go mod download: %w", strings.Join(paths, " "), runErr)
	}
	return found, nil
}

// copyModules gives vendir a writable copy of every module: it copies
// permissions as well, and could not delete what its filters leave out.
func copyModules(c *vendir.Config, modules map[string]module, temp string) error {
	n := 0
	for i := range c.Directories {
		for j := range c.Directories[i].Contents {
			one := &c.Directories[i].Contents[j]
			m, ok := modules[modulePath(one)]
			if !ok {
				continue
			}
			n++
			dir := filepath.Join(temp, "module-"+strconv.Itoa(n))
			if err := os.CopyFS(dir, os.DirFS(m.Dir)); err != nil {
				return fmt.Errorf("copying module %s: %w", m.Path, err)
			}
			one.Directory.Path = dir
		}
	}
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("copying a version's module: %w", err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		return fmt.Errorf("copying a version's module: %w", err)
	}
	return nil
}

// text is an error that a program printed.
func text(s string) error {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return errors.New(s)
}
