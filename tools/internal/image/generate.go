package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/mod/modfile"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gotool"
)

// generateInputs is what decides which sources a generator writes; the
// generator's own version is in go.mod.
type generateInputs struct {
	Command string
	Args    []string
	// Files are the hashes of what it reads, by name.
	Files map[string]string
}

func hashGenerate(v *catalog.Version, img catalog.Image) (*generateInputs, error) {
	if img.Generate == nil {
		return nil, nil
	}
	hashes := map[string]string{}
	for _, name := range img.Generate.Files {
		content, err := os.ReadFile(filepath.Join(v.Module(img.Command), filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		hashes[name] = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	return &generateInputs{Command: img.Generate.Command, Args: img.Generate.Args, Files: hashes}, nil
}

// module is the folder of the Go module that a command is compiled in: the one
// that pins it, or a new one below c.tmp with the sources that its generator
// writes.
func (c compiler) module(ctx context.Context, command string) (string, error) {
	home := c.version.Module(command)
	g := c.image.Generate
	if g == nil || command != c.image.Command {
		return home, nil
	}
	dir, err := os.MkdirTemp(c.tmp, "generated")
	if err != nil {
		return "", err
	}
	if err := c.generate(ctx, *g, home, dir); err != nil {
		return "", fmt.Errorf("generating the sources of %s with %s: %w", command, g.Command, err)
	}
	return dir, nil
}

// generate fills dir with sources. go.mod and go.sum are put there before the
// generator runs, which may read them, and again afterwards, since it may
// write them.
func (c compiler) generate(ctx context.Context, g catalog.Generate, home, dir string) error {
	locks, err := moduleFiles(home)
	if err != nil {
		return err
	}
	if err := copyFiles(home, dir, slices.Concat(locks, g.Files)); err != nil {
		return err
	}
	program := filepath.Join(c.tmp, "generator")
	if err := c.compileGenerator(ctx, g.Command, home, program); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, g.Args...)
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + c.tmp, "TMPDIR=" + c.tmp}
	if err := runQuietly(cmd); err != nil {
		return err
	}
	return copyFiles(home, dir, locks)
}

// compileGenerator compiles for the machine that builds, whatever the image's
// platform.
func (c compiler) compileGenerator(ctx context.Context, command, dir, program string) error {
	host := v1.Platform{OS: runtime.GOOS, Architecture: runtime.GOARCH}
	cmd, err := gotool.Command(ctx, "build", "-trimpath", "-o", program, command)
	if err != nil {
		return err
	}
	env, err := buildEnv(ctx, host, c.tmp)
	if err != nil {
		return err
	}
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	return runQuietly(cmd)
}

// runQuietly runs a command whose output matters only where it fails.
func runQuietly(cmd *exec.Cmd) error {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(output.Bytes()))
	}
	return nil
}

// moduleFiles are go.mod and, where there is one, go.sum. A folder that
// replaces a module is refused: its path would lead nowhere from the new
// folder.
func moduleFiles(dir string) ([]string, error) {
	file := filepath.Join(dir, "go.mod")
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	mod, err := modfile.Parse(file, content, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range mod.Replace {
		if r.New.Version == "" {
			return nil, fmt.Errorf("%s replaces %s by the folder %s: generated sources can only use modules with a version", file, r.Old.Path, r.New.Path)
		}
	}
	// A module without dependencies has no go.sum.
	_, err = os.Stat(filepath.Join(dir, "go.sum"))
	if errors.Is(err, os.ErrNotExist) {
		return []string{"go.mod"}, nil
	}
	return []string{"go.mod", "go.sum"}, err
}

func copyFiles(from, to string, names []string) error {
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		file := filepath.Join(to, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
