package image

import (
	"archive/tar"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// extras are the links and files that one image needs.
func extras(img catalog.Image, b base) ([]entry, error) {
	if err := checkCommands(img); err != nil {
		return nil, err
	}
	var entries []entry
	for link, command := range img.Links {
		name, err := inImage(link)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(commands(img), func(c string) bool { return commandName(c) == command }) {
			return nil, fmt.Errorf("link %s points to %q, which is none of its commands' names", link, command)
		}
		entries = append(entries, entry{name: name, kind: tar.TypeSymlink, mode: 0o777, target: appDir + "/" + command})
	}
	for _, f := range img.Files {
		e, err := extraFile(f, b)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	return entries, checkPaths(entries)
}

// checkPaths refuses two things in one place.
func checkPaths(entries []entry) error {
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.name] {
			return fmt.Errorf("/%s is named twice in its links and files", e.name)
		}
		seen[e.name] = true
	}
	return nil
}

func extraFile(f catalog.ImageFile, b base) (entry, error) {
	name, err := inImage(f.Path)
	if err != nil {
		return entry{}, err
	}
	mode, err := strconv.ParseInt(f.Mode, 8, 32)
	if err != nil || mode > 0o7777 || mode < 0 {
		return entry{}, fmt.Errorf("mode %q of file %s is not an octal permission such as \"0664\"", f.Mode, f.Path)
	}
	e := entry{name: name, kind: tar.TypeReg, mode: mode, uid: f.UID, gid: f.GID}
	if f.Folder {
		e.kind = tar.TypeDir
	}
	if f.CARoots {
		e.data = b.roots
	}
	return e, nil
}

// checkCommands refuses what would give an image without a program, or one
// program in another's place.
func checkCommands(img catalog.Image) error {
	if img.Command == "" {
		return errors.New("it has no command to compile: give it one in package.yml, or lock the version's images with --images=upstream")
	}
	seen := map[string]string{}
	for _, c := range commands(img) {
		if other, taken := seen[commandName(c)]; taken {
			return fmt.Errorf("commands %s and %s are both named %s", other, c, commandName(c))
		}
		seen[commandName(c)] = c
	}
	return nil
}

// commands are all import paths whose binaries are in the image.
func commands(img catalog.Image) []string { return append(slices.Clone(img.With), img.Command) }
