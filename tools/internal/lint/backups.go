package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// checkBackups refuses what editors and merge tools leave behind. Nothing reads such
// a file and no bundle holds it, so what is in it and nowhere else is lost, and what
// was meant to be removed is in git for all to read.
func checkBackups(s *subject) []Finding { return backupFindings(s.backups) }

func backupFindings(files []string) []Finding {
	var findings []Finding
	for _, file := range files {
		findings = append(findings, Finding{
			File: file, Message: "a backup file of an editor or a merge tool", Remedy: "remove it, or rename it if a package uses it",
		})
	}
	return findings
}

// backupsBelow are the backups in a folder, as findings show them. No folder has none.
func backupsBelow(root, dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(filepath.Join(root, dir), func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case catalog.IsBackup(entry.Name()):
			found = append(found, relative(root, file))
			if entry.IsDir() {
				return fs.SkipDir
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for backups of editors: %w", err)
	}
	return found, nil
}

// sharedBackups are findings of no package: in what packages share, and in the
// environments.
func sharedBackups(c *catalog.Catalog) ([]Finding, error) {
	var files []string
	for _, dir := range []string{filepath.Join("packages", catalog.CommonDir), catalog.EnvironmentsDir} {
		found, err := backupsBelow(c.Root, dir)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	findings := backupFindings(files)
	for i := range findings {
		findings[i].Rule = editorBackup
	}
	return findings, nil
}
