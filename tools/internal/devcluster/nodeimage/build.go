package nodeimage

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/strake-dev/strake/tools/internal/cache"
)

// inputs are the modules that pin everything compiled, the source of the one
// program that no module offers, and systemd units beside kind's own.
//
//go:embed modules pause/main.go units
var inputs embed.FS

// layout changes whenever the code of this package puts the same inputs
// together in another way, so that images made before are not taken for new.
//
// 2: the packages of Debian are always verified.
const layout = "2"

// build is one run of [Build]: fixed names, and what earlier steps leave for
// later ones.
type build struct {
	engine    Engine
	mirror    string
	key       string
	reference string
	lock      string
	container string
	// dir is scratch space below the cache, removed at the end.
	dir string

	// programs maps a command's base name to its file; kind is the folder of
	// kind's base files; rootfs is the system's tar.
	programs map[string]string
	versions map[string]string
	kind     string
	rootfs   string
	images   string
}

func newBuild(engine Engine, o Options) (*build, error) {
	key, err := inputsKey()
	if err != nil {
		return nil, err
	}
	dir, err := cache.Dir(ScratchCache, key)
	if err != nil {
		return nil, err
	}
	return &build{
		engine:    engine,
		mirror:    o.Mirror,
		key:       key,
		reference: Repository + ":" + key,
		lock:      dir + ".lock",
		container: "strake-node-" + key,
		dir:       dir,
	}, nil
}

// inputsKey hashes everything that decides what the image holds. The mirror
// is left out: debootstrap verifies that Debian signed what it serves.
func inputsKey() (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s %s %q %q %s", layout, runtime.GOARCH, suite, packages(), excluded(), bridgeNetwork)
	err := fs.WalkDir(inputs, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := inputs.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(content), content)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hashing the node image's inputs: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil))[:12], nil
}

// clean removes the build's container and scratch space. It runs after
// cancellation too, so its context must be one that is not cancelled.
func (b *build) clean(ctx context.Context) {
	_ = b.engine.Run(ctx, nil, nil, "rm", "--force", b.container)
	_ = os.RemoveAll(b.dir)
}

// scratch is a path in the build's scratch folder, which it makes.
func (b *build) scratch(name string) (string, error) {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return "", fmt.Errorf("making the scratch folder %s: %w", b.dir, err)
	}
	return filepath.Join(b.dir, name), nil
}

// base is the name under which the node's base image is kept, so that a
// failure after it leaves nothing nameless behind.
func (b *build) base() string { return BaseRepository + ":" + b.key }
