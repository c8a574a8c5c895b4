package catalog

import (
	"path"
	"slices"
	"strings"
)

// IsBackup tells whether a file's name is one that an editor, a merge tool or a
// desktop makes for itself: a backup, a swap file, a rejected patch. Nothing reads
// such a file, and no bundle holds it.
func IsBackup(name string) bool {
	switch {
	case strings.HasSuffix(name, "~"): // Emacs, gedit, Kate, nano
		return true
	case strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#"), strings.HasPrefix(name, ".#"): // Emacs
		return true
	case strings.HasPrefix(name, "._"): // macOS, on other file systems
		return true
	case slices.Contains([]string{".DS_Store", "Thumbs.db", "desktop.ini", "4913"}, name):
		return true
	case strings.HasSuffix(name, "___jb_tmp___"), strings.HasSuffix(name, "___jb_old___"): // JetBrains
		return true
	}
	ext := strings.ToLower(path.Ext(name))
	// Vim takes another last letter while a swap file is there: .swp, .swo, .swn.
	if len(ext) == 4 && strings.HasPrefix(ext, ".sw") && ext[3] >= 'a' && ext[3] <= 'p' {
		return true
	}
	return slices.Contains([]string{".orig", ".rej", ".bak", ".backup", ".old", ".save", ".tmp", ".kate-swp", ".un"}, ext)
}
