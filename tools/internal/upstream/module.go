package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	vendir "carvel.dev/vendir/pkg/vendir/config"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gotool"
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
// missing, and checks them against the go.sum beside the go.mod that pins them.
func resolveModules(ctx context.Context, v *catalog.Version, paths []string) (map[string]module, error) {
	modules := map[string]module{}
	if len(paths) == 0 {
		return modules, nil
	}
	all, err := readAllPins(v)
	if err != nil {
		return nil, err
	}
	asked, err := all.share(paths)
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if err := p.resolve(ctx, asked[p], modules); err != nil {
			return nil, err
		}
	}
	return modules, nil
}

// resolve adds the folders of the modules that p pins.
func (p *pins) resolve(ctx context.Context, want map[string]module, modules map[string]module) error {
	if len(want) == 0 {
		return nil
	}
	found, err := p.download(ctx, slices.Sorted(maps.Keys(want)))
	if err != nil {
		return err
	}
	for path, m := range want {
		if modules[path], err = p.verify(path, m, found); err != nil {
			return err
		}
	}
	return nil
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
		return m, fmt.Errorf("module %s@%s in %s differs from %s: its files hash to %s, not %s; run go clean -modcache to unpack it again",
			m.Path, m.Version, m.Dir, p.sumFile, got, want.Sum)
	}
	m.Sum = want.Sum
	return m, nil
}

// download runs `go mod download` in a copy of the module, because the go
// command may write to go.sum.
func (p *pins) download(ctx context.Context, paths []string) ([]module, error) {
	temp, err := os.MkdirTemp("", "strake-module-")
	if err != nil {
		return nil, fmt.Errorf("making a folder to resolve modules in: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	if err := p.copyTo(temp); err != nil {
		return nil, fmt.Errorf("copying a version's module: %w", err)
	}
	stdout, runErr := goCommand(ctx, temp, append([]string{"mod", "download", "-json"}, paths...)...)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	found, err := parseDownloads(stdout)
	if err == nil && len(found) != len(paths) {
		err = fmt.Errorf("downloading modules %s: go mod download: %w", strings.Join(paths, " "), runErr)
	}
	if err != nil {
		return nil, err
	}
	for i, m := range found {
		if m.Error == "" {
			continue
		}
		if found[i].Dir = unpacked(ctx, temp, m.Path); found[i].Dir == "" {
			return nil, fmt.Errorf("downloading module %s@%s: %s", m.Path, m.Version, m.Error)
		}
	}
	return found, nil
}

// goCommand runs go in a copy of a version's module. The error holds what it
// printed to stderr.
func goCommand(ctx context.Context, dir string, args ...string) (stdout []byte, err error) {
	var out, stderr bytes.Buffer
	cmd, err := gotool.Command(ctx, args...)
	if err != nil {
		return nil, err
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &stderr
	flags := os.Getenv("GOFLAGS") + " -mod=readonly -buildvcs=false"
	cmd.Env = append(os.Environ(), "GOFLAGS="+flags, "GOWORK=off")
	err = cmd.Run()
	return out.Bytes(), errors.Join(err, text(stderr.String()))
}

// unpacked is the folder of a module whose archive a proxy has while it does
// not know its date: `go mod download` wants both, but what looks for packages
// is content with the archive. It is empty where that fails, too, or where the
// module has no package at all.
func unpacked(ctx context.Context, dir, path string) string {
	folders, _ := goCommand(ctx, dir, "list", "-find", "-f", "{{with .Module}}{{.Dir}}{{end}}", path+"/...")
	folder, _, _ := strings.Cut(string(folders), "\n")
	return folder
}

// parseDownloads reads the stream of JSON objects, one a module in the order
// asked for. Errors of single modules are in it.
func parseDownloads(stdout []byte) ([]module, error) {
	var found []module
	dec := json.NewDecoder(bytes.NewReader(stdout))
	for dec.More() {
		var m module
		if err := dec.Decode(&m); err != nil {
			return nil, fmt.Errorf("reading the output of go mod download: %w", err)
		}
		found = append(found, m)
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

// text is an error that a program printed.
func text(s string) error {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return errors.New(s)
}
