package apivalidate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/gotool"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// sources are the program and the modules of each minor version. The go command takes
// the folder for no package of this module, because its name begins with an underscore.
//
//go:embed _program/*.go modules/*.mod modules/*.sum
var sources embed.FS

// Cache is the kind of cache entry that holds programs, one for each minor version.
const Cache = "apivalidate"

const (
	programDir  = "_program"
	programName = "apivalidate"
	modulesDir  = "modules"
)

// New returns the validator of the minor version that is nearest to a release of
// Kubernetes, such as 1.34.4. It compiles the program if the cache does not have it, which
// takes minutes and requires the go command and its module proxy.
func New(ctx context.Context, release string) (*Validator, error) {
	minor, err := nearest(Minors(), release)
	if err != nil {
		return nil, err
	}
	file, err := program(ctx, minor)
	if err != nil {
		return nil, fmt.Errorf("compiling the validation of Kubernetes %s, which requires the go command and access to the Go module proxy: %w", minor, err)
	}
	return &Validator{Minor: minor, file: file}, nil
}

// program returns the file of the program, which it compiles where it is missing. The
// build cache is the user's, as for strake itself: Go removes there what is not used.
func program(ctx context.Context, minor string) (string, error) {
	version, err := goVersion(ctx)
	if err != nil {
		return "", err
	}
	files, err := filesOf(minor)
	if err != nil {
		return "", err
	}
	dir, err := cache.Use(ctx, Cache, minor+"-"+key(files, version), func(dir string) error {
		progress.From(ctx).Step("compiling the validation of Kubernetes %s, once; this takes some minutes", minor)
		defer progress.Begin(ctx, progress.Job{ID: Cache + "/" + minor, Name: Cache + "/" + minor})()
		return compile(ctx, files, filepath.Join(dir, programName))
	}, (*cache.Entry).Whole)
	return filepath.Join(dir, programName), err
}

// filesOf returns the files of the program's module, without its tests, by name.
func filesOf(minor string) (map[string][]byte, error) {
	names, err := fs.Glob(sources, programDir+"/*.go")
	if err != nil {
		return nil, err
	}
	from := map[string]string{
		"go.mod": path.Join(modulesDir, minor+".mod"),
		"go.sum": path.Join(modulesDir, minor+".sum"),
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "_test.go") {
			from[path.Base(name)] = name
		}
	}
	files := map[string][]byte{}
	for to, name := range from {
		if files[to], err = sources.ReadFile(name); err != nil {
			return nil, fmt.Errorf("reading the source of the program: %w", err)
		}
	}
	return files, nil
}

// key hashes all that decides what is compiled.
func key(files map[string][]byte, goVersion string) string {
	h := sha256.New()
	fmt.Fprintln(h, goVersion, runtime.GOOS, runtime.GOARCH)
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(h, "%s %d\n%s", name, len(files[name]), files[name])
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// compile makes the program of a module's files.
func compile(ctx context.Context, files map[string][]byte, to string) error {
	dir, err := os.MkdirTemp("", "strake-apivalidate-")
	if err != nil {
		return fmt.Errorf("making a folder to compile in: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("writing the source of the program: %w", err)
		}
	}
	_, err = goCommand(ctx, dir, "build", "-ldflags=-s -w", "-o", to, ".")
	return err
}

func goVersion(ctx context.Context) (string, error) {
	out, err := goCommand(ctx, "", "env", "GOVERSION")
	return strings.TrimSpace(string(out)), err
}

// errorTail is how much of what the go command says is in an error, in bytes.
const errorTail = 2000

// goCommand runs go for this machine. The checksums in go.sum decide: nothing is added.
func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd, err := gotool.Command(ctx, args...)
	if err != nil {
		return nil, err
	}
	var out, said bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &said
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+runtime.GOOS, "GOARCH="+runtime.GOARCH, "GOWORK=off",
		"GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=readonly -trimpath -buildvcs=false")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go then ends its compilers
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		text := strings.TrimSpace(said.String())
		return nil, fmt.Errorf("running go %s: %w: %s", args[0], err, text[max(0, len(text)-errorTail):])
	}
	return out.Bytes(), nil
}
