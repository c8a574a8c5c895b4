package nodeimage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/gotool"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// compile fills b.programs and b.versions, from the cache where it can, and
// finds kind's base files.
func (b *build) compile(ctx context.Context) error {
	b.programs, b.versions = map[string]string{}, map[string]string{}
	for _, m := range modules() {
		if err := b.compileModule(ctx, m); err != nil {
			return err
		}
	}
	if err := b.compilePause(ctx); err != nil {
		return err
	}
	return b.findKind(ctx)
}

func (b *build) compileModule(ctx context.Context, m module) error {
	file, err := parseModule(m.name)
	if err != nil {
		return err
	}
	version := requiredVersion(file, m.upstream)
	commands := toolPaths(file)
	ldflags := linkerFlags(m, version)
	key, err := programsKey(ctx, m.name, ldflags)
	if err != nil {
		return err
	}
	dir, err := cache.Use(ctx, ProgramsCache, m.name+"-"+key, func(dir string) error {
		progress.From(ctx).Step("compiling %s %s", m.upstream, version)
		defer progress.Begin(ctx, Job(m.name))()
		return compileInto(ctx, dir, m.name, ldflags, commands)
	}, (*cache.Entry).Whole)
	if err != nil {
		return fmt.Errorf("compiling %s %s: %w", m.upstream, version, err)
	}
	b.versions[m.name] = version
	for _, c := range commands {
		name := commandName(c)
		b.programs[name] = filepath.Join(dir, "bin", name)
	}
	return nil
}

// Job is the compiling of a module's programs, as [Uncompiled] names it.
func Job(name string) progress.Job { return progress.Job{ID: "node/" + name, Name: "node/" + name} }

// compileInto writes the module's files to dir, and its commands to dir/bin.
func compileInto(ctx context.Context, dir, name, ldflags string, commands []string) error {
	if err := writeModule(dir, name); err != nil {
		return err
	}
	args := []string{"-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", filepath.Join(dir, "bin") + "/"}
	return goBuild(ctx, dir, append(args, commands...)...)
}

func (b *build) compilePause(ctx context.Context) error {
	source, err := inputs.ReadFile("pause/main.go")
	if err != nil {
		return fmt.Errorf("reading the embedded pause program: %w", err)
	}
	version, err := goVersion(ctx)
	if err != nil {
		return err
	}
	key := hash(string(source), version, runtime.GOARCH)
	dir, err := cache.Use(ctx, ProgramsCache, "pause-"+key, func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "main.go"), source, 0o644); err != nil {
			return err
		}
		return goBuild(ctx, dir, "-trimpath", "-buildvcs=false", "-ldflags", "-s -w",
			"-o", filepath.Join(dir, "bin", "pause"), "main.go")
	}, (*cache.Entry).Whole)
	if err != nil {
		return fmt.Errorf("compiling the pause program: %w", err)
	}
	b.programs["pause"] = filepath.Join(dir, "bin", "pause")
	return nil
}

// findKind downloads kind's module, checked against its embedded go.sum, for
// the files that make a container a node.
func (b *build) findKind(ctx context.Context) error {
	file, err := parseModule("kind")
	if err != nil {
		return err
	}
	dir, err := b.scratch("kind")
	if err != nil {
		return err
	}
	if err := writeModule(dir, "kind"); err != nil {
		return err
	}
	const upstream = "sigs.k8s.io/kind"
	out, err := goCommand(ctx, dir, "mod", "download", "-json", upstream+"@"+requiredVersion(file, upstream))
	if err != nil {
		return fmt.Errorf("downloading %s: %w", upstream, err)
	}
	var download struct{ Dir string }
	if err := json.Unmarshal(out, &download); err != nil {
		return fmt.Errorf("reading the output of go mod download for %s: %w", upstream, err)
	}
	b.kind = filepath.Join(download.Dir, "images", "base", "files")
	return nil
}

func programsKey(ctx context.Context, name, ldflags string) (string, error) {
	version, err := goVersion(ctx)
	mod, _ := inputs.ReadFile("modules/" + name + ".mod")
	sum, _ := inputs.ReadFile("modules/" + name + ".sum")
	return hash(string(mod), string(sum), ldflags, version, runtime.GOARCH), err
}

func goVersion(ctx context.Context) (string, error) {
	out, err := goCommand(ctx, "", "env", "GOVERSION")
	if err != nil {
		return "", fmt.Errorf("asking the go command for its version: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d %s\n", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// goBuild compiles. What the compiler keeps is removed with that of other images.
func goBuild(ctx context.Context, dir string, args ...string) error {
	env, err := gocache.Env(ctx)
	if err != nil {
		return err
	}
	_, err = goRun(ctx, dir, env, append([]string{"build"}, args...)...)
	return err
}

func goCommand(ctx context.Context, dir string, args ...string) ([]byte, error) {
	return goRun(ctx, dir, nil, args...)
}

// goRun runs go for the node's platform. The flags are those that make the
// result depend on the modules alone.
func goRun(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd, err := gotool.Command(ctx, args...)
	if err != nil {
		return nil, err
	}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH, "GOWORK=off", "GOFLAGS=-mod=readonly -buildvcs=false")
	cmd.Env = append(cmd.Env, env...)
	return output(cmd)
}
