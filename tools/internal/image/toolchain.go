package image

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/gotool"
)

// toolchain is the Go that compiles.
type toolchain struct {
	// Version is its release, "go1.26.8".
	Version string `json:"GOVERSION"`
	// Root is its folder.
	Root string `json:"GOROOT"`
	// Experiment is what GOEXPERIMENT changes of its release.
	Experiment string `json:"GOEXPERIMENT"`
}

// findToolchain asks the go command that ko will use, in the module's folder
// and with the environment that a build has.
func findToolchain(ctx context.Context, dir string) (toolchain, error) {
	cmd, err := gotool.Command(ctx, "env", "-json", "GOVERSION", "GOROOT", "GOEXPERIMENT")
	if err != nil {
		return toolchain{}, err
	}
	cmd.Dir, cmd.Env = dir, append(os.Environ(), goToolchain(), "GOWORK=off")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return toolchain{}, fmt.Errorf("asking the go command for its version: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	var t toolchain
	if err := json.Unmarshal(out, &t); err != nil {
		return toolchain{}, fmt.Errorf("reading the output of go env: %w", err)
	}
	return t, t.check()
}

// check refuses what would give other digests without being in the lock.
func (t toolchain) check() error {
	if t.Experiment != "" {
		return fmt.Errorf("GOEXPERIMENT is %q, which changes what is compiled: unset it (also with %q)", t.Experiment, "go env -u GOEXPERIMENT")
	}
	// Layers are compressed by this program, not by the go command, and what
	// compress/flate writes differs between releases.
	if t.Version != runtime.Version() {
		return fmt.Errorf("strake was compiled with %s, but the go command is %s: build strake with the latter, or put the former on PATH",
			runtime.Version(), t.Version)
	}
	// ko keeps binaries there by import path, whatever their version, and two
	// runs at once would overwrite each other's.
	if os.Getenv("KOCACHE") != "" {
		return errors.New("the environment sets KOCACHE: unset it, since images are cached by their inputs already")
	}
	return nil
}

// pinned says whether the locked toolchain runs. It comes before any
// compiling: another one cannot reproduce the digests.
func (t toolchain) pinned(v *catalog.Version) error {
	if t.Version == v.Images.Toolchain {
		return nil
	}
	return fmt.Errorf("%s of %s pins %s, but %s runs here: put the pinned release on PATH, or lock the images again with %q",
		catalog.ImagesLockFile, v.ID(), v.Images.Toolchain, t.Version, v.Relock())
}

// goToolchain has the go command switch to the release that compiled strake,
// which must also be the locked one; it downloads a release that is not there
// (https://go.dev/doc/toolchain). A development version cannot be asked for.
func goToolchain() string {
	if !strings.HasPrefix(runtime.Version(), "go1.") || strings.Contains(runtime.Version(), " ") {
		return "GOTOOLCHAIN=local"
	}
	return "GOTOOLCHAIN=" + runtime.Version()
}

// buildEnv is the environment of a go command that compiles: goEnv, and where it keeps
// what it has compiled.
func buildEnv(ctx context.Context, p v1.Platform, tmp string) ([]string, error) {
	kept, err := gocache.Env(ctx)
	return append(goEnv(p, tmp), kept...), err
}

// goEnv is set over the caller's environment, so that what a person has set
// for other work does not change a digest. GOPROXY and its like are inherited.
func goEnv(p v1.Platform, tmp string) []string {
	return []string{
		"GOOS=" + p.OS, "GOARCH=" + p.Architecture,
		"GOAMD64=v1", "GOARM64=v8.0", "GOARM=7", "GOFIPS140=off",
		"CGO_ENABLED=0", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off", goToolchain(),
		// The go command leaves its work there when it is killed; the folder is removed.
		"GOTMPDIR=" + tmp,
	}
}
