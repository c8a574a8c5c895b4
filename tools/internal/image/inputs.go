package image

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// recipe changes whenever this package makes other bytes of the same inputs,
// so that no image of the earlier way is taken from the cache.
const recipe = "1"

// inputs is everything that an image is made from. The reference that
// manifests use is not part of it, nor where the checkout lies.
type inputs struct {
	Recipe, Toolchain, Base string
	Platforms               []string
	Labels                  map[string]string
	ReleasedAt              time.Time
	Upstream                string
	Command                 string
	Generate                *generateInputs `json:",omitempty"`
	With                    []string
	Links                   map[string]string
	Ldflags                 []string
	Tags                    []string `json:",omitempty"`
	User                    string
	Files                   []catalog.ImageFile
	// Modules holds for each module of the commands, by its folder as seen from
	// the version's, the hash of go.mod, go.sum, of each folder that a "replace"
	// names and, where programs of our own lie beside them, of every source.
	Modules map[string]map[string]string
}

// Inputs is the hash, "sha256:…", of all that an image is built from, under
// the toolchain and base that the version's lock names. It reads a few small
// files and starts no process.
func Inputs(v *catalog.Version, img catalog.Image, platforms []string) (string, error) {
	if v.Images == nil {
		return "", fmt.Errorf("%s has no %s: run %q", v.ID(), catalog.ImagesLockFile, v.Relock())
	}
	return hashInputs(v, img, platforms, v.Images.Toolchain, v.Images.Base)
}

func hashInputs(v *catalog.Version, img catalog.Image, platforms []string, toolchain, base string) (string, error) {
	modules, err := hashModules(v, img)
	if err != nil {
		return "", fmt.Errorf("hashing what image %s of %s is built from: %w", img.Name, v.ID(), err)
	}
	generate, err := hashGenerate(v, img)
	if err != nil {
		return "", fmt.Errorf("hashing what image %s of %s is generated from: %w", img.Name, v.ID(), err)
	}
	content, err := json.Marshal(inputs{
		Recipe: recipe, Toolchain: toolchain, Base: base,
		Platforms: platforms, Labels: labels(v, img), ReleasedAt: released(v), Upstream: v.Upstream,
		Command: img.Command, Generate: generate, With: img.With, Links: img.Links, Ldflags: img.Ldflags, Tags: img.Tags, User: img.User, Files: img.Files,
		Modules: modules,
	})
	if err != nil {
		return "", fmt.Errorf("encoding what image %s of %s is built from: %w", img.Name, v.ID(), err)
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(content)), nil
}

func hashModules(v *catalog.Version, img catalog.Image) (map[string]map[string]string, error) {
	hashes := map[string]map[string]string{}
	for _, command := range append([]string{img.Command}, img.With...) {
		dir := v.Module(command)
		name, err := filepath.Rel(v.Dir, dir)
		if err != nil {
			return nil, err
		}
		if hashes[name], err = hashModule(dir); err != nil {
			return nil, err
		}
	}
	return hashes, nil
}

func hashModule(dir string) (map[string]string, error) {
	hashes := map[string]string{}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, os.ErrNotExist) && name == "go.sum" {
			continue // a module without dependencies has none
		}
		if err != nil {
			return nil, err
		}
		hashes[name] = fmt.Sprintf("%x", sha256.Sum256(content))
	}
	return hashes, errors.Join(hashReplaced(dir, hashes), hashSources(dir, hashes))
}

// hashSources adds the files of a module that has Go code of its own, and with
// them whatever the code embeds.
func hashSources(dir string, hashes map[string]string) error {
	var files []string
	ours := false
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && file != dir && (isModule(file) || entry.Name()[0] == '.') {
			return fs.SkipDir
		}
		if !entry.IsDir() && !declares(entry.Name()) {
			rel, err := filepath.Rel(dir, file)
			ours = ours || filepath.Ext(file) == ".go"
			files = append(files, filepath.ToSlash(rel))
			return err
		}
		return nil
	})
	if err != nil || !ours {
		return err
	}
	sum, err := dirhash.Hash1(files, func(name string) (io.ReadCloser, error) {
		return os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	})
	hashes["."] = sum
	return err
}

// declares says whether a file is hashed by itself or is no part of the program.
func declares(name string) bool {
	return strings.HasSuffix(name, "_test.go") || slices.Contains([]string{"go.mod", "go.sum", catalog.VersionFile, catalog.ImagesLockFile, catalog.VendirLockFile}, name)
}

func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// hashReplaced adds the folders that replace modules: go.sum does not cover
// them.
func hashReplaced(dir string, hashes map[string]string) error {
	file := filepath.Join(dir, "go.mod")
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	mod, err := modfile.Parse(file, content, nil)
	if err != nil {
		return err
	}
	for _, r := range mod.Replace {
		if r.New.Version != "" {
			continue
		}
		sum, err := dirhash.HashDir(filepath.Join(dir, filepath.FromSlash(r.New.Path)), r.Old.Path, dirhash.Hash1)
		if err != nil {
			return fmt.Errorf("hashing the folder %s that replaces %s: %w", r.New.Path, r.Old.Path, err)
		}
		hashes[r.New.Path] = sum
	}
	return nil
}
