package cache

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// seal records size and checksum of every file below dir, and syncs all of it
// to the disk: a rename may survive a power loss that the content does not.
func seal(dir, entry string) error {
	found, err := list(dir)
	if err != nil {
		return fmt.Errorf("listing the files of %s: %w", entry, err)
	}
	all := sums{Entry: entry, Files: make(map[string]sum, len(found))}
	for name, mode := range found {
		if all.Files[name], err = measure(filepath.Join(dir, filepath.FromSlash(name)), mode); err != nil {
			return fmt.Errorf("hashing the files of %s: %w", entry, err)
		}
	}
	content, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("encoding the checksums of %s: %w", entry, err)
	}
	if err := os.WriteFile(filepath.Join(dir, sumsFile), content, 0o444); err != nil {
		return fmt.Errorf("writing the checksums of %s: %w", entry, err)
	}
	return syncAll(dir)
}

// syncAll syncs the files and folders below dir, and dir.
func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		return syncPath(path)
	})
}

// syncPath syncs a file or folder. Some file systems cannot sync folders, and
// say so.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("syncing the cache: %w", err)
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("syncing the cache: %w", err)
	}
	return nil
}
