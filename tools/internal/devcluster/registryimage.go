package devcluster

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// registryRepository is the local name of the registry's image.
const registryRepository = "localhost/strake/registry"

// registryImage is the reference of the image that holds a program. Its tag is
// the hash of all that makes the registry another one: the key of the program
// (its content where it has none), and how its container is configured and
// started.
func registryImage(program, key string) (string, error) {
	if err := checkStatic(program); err != nil {
		return "", err
	}
	if key == "" {
		var err error
		if key, err = contentHash(program); err != nil {
			return "", err
		}
	}
	parts, err := json.Marshal([]any{key, runtime.GOARCH, registryImageConfig(), runArguments("", "", true)})
	if err != nil {
		return "", fmt.Errorf("hashing the registry's settings: %w", err)
	}
	sum := sha256.Sum256(parts)
	return registryRepository + ":" + hex.EncodeToString(sum[:])[:12], nil
}

func contentHash(program string) (string, error) {
	f, err := os.Open(program)
	if err != nil {
		return "", fmt.Errorf("opening the registry's program: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading the registry's program %s: %w", program, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// registryImageConfig is how the image runs. The soft limit of memory is below the
// container's, so that garbage is collected before the registry is killed.
func registryImageConfig() v1.Config {
	return v1.Config{
		Entrypoint: []string{"/strake", "registry", "serve", "--addr", ":" + registryPort, "--dir", "/data"},
		Env:        []string{"HOME=/tmp", "STRAKE_CACHE=/tmp/cache", "GOMEMLIMIT=400MiB"},
	}
}

// checkStatic refuses a program that an otherwise empty image cannot run.
func checkStatic(program string) error {
	const remedy = "build strake with CGO_ENABLED=0 GOOS=linux (as \"make\" does)"
	f, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("%s is not a Linux program, but the registry runs it in a container; %s: %w", program, remedy, err)
	}
	defer f.Close()
	for _, segment := range f.Progs {
		if segment.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is linked to shared libraries, which the registry's container does not have; %s", program, remedy)
		}
	}
	return nil
}

// loadRegistryImage puts the image into the engine's storage if it is not there.
func (s *session) loadRegistryImage(ctx context.Context, reference, program string) error {
	if s.engine.hasImage(ctx, reference) {
		return nil
	}
	image, err := programImage(program)
	if err != nil {
		return err
	}
	tag, err := name.NewTag(reference)
	if err != nil {
		return fmt.Errorf("naming the registry's image: %w", err)
	}
	archive, w := io.Pipe()
	go func() { w.CloseWithError(tarball.Write(tag, image, w)) }()
	defer archive.Close()
	if err := s.engine.Run(ctx, archive, nil, "load"); err != nil {
		return fmt.Errorf("loading the registry's image: %w", err)
	}
	return nil
}

// programImage is an image with nothing but the program, as /strake, and
// folders to write to.
func programImage(program string) (v1.Image, error) {
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return programTar(program), nil },
		tarball.WithCompressionLevel(gzip.NoCompression))
	if err != nil {
		return nil, fmt.Errorf("putting %s into an image layer: %w", program, err)
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers"},
		Config: registryImageConfig(),
	})
	if err != nil {
		return nil, fmt.Errorf("configuring the registry's image: %w", err)
	}
	return mutate.AppendLayers(image, layer)
}

// programTar streams a tar of the program, so that it is never in memory.
func programTar(program string) io.ReadCloser {
	r, w := io.Pipe()
	go func() { w.CloseWithError(writeProgramTar(tar.NewWriter(w), program)) }()
	return r
}

func writeProgramTar(t *tar.Writer, program string) error {
	f, err := os.Open(program)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	for _, dir := range []string{"tmp/", "data/"} {
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir, Mode: 0o1777}); err != nil {
			return err
		}
	}
	if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "strake", Size: info.Size(), Mode: 0o755}); err != nil {
		return err
	}
	if _, err := io.Copy(t, f); err != nil {
		return err
	}
	return t.Close()
}
