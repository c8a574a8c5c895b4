package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIsBackup(t *testing.T) {
	for name, want := range map[string]bool{
		"schema.yml": false, ".helmignore": false, "sworn.yml": false, "lib.star": false, "notes.swift": false, "x.sws": false,
		"#notes.yml": false, "README.md": false, "original.yml": false, ".gitkeep": false, "4913.yml": false,
		"x.yml~": true, "x.yml.~1~": true, "#x.yml#": true, ".#x.yml": true, "x.yml.orig": true, "x.yml.rej": true,
		"x.yml.bak": true, "x.yml.BAK": true, ".x.yml.swp": true, "x.swp": true, ".x.yml.swo": true, ".x.yml.un~": true,
		".DS_Store": true, "._x.yml": true, "Thumbs.db": true, "x.yml.save": true, ".x.yml.kate-swp": true,
		"x.yml___jb_tmp___": true, "4913": true, "x.yml.tmp": true, "x.yml.old": true,
	} {
		require.Equal(t, want, IsBackup(name), name)
	}
}

// TestLoadPassesOverBackups: what an editor leaves beside a file breaks nothing.
func TestLoadPassesOverBackups(t *testing.T) {
	root := good().
		with("packages/#notes#", "").with("packages/boat/package.yml~", "").with("packages/boat/1.2.0/version.yml.orig", "").
		with("packages/boat/1.2.0/x.bak", "").with("config/base/values.yml~", "").with("config/dev/.DS_Store", "").
		with("config/dev/environment.yml", "description: x\nkubernetes: 1.34.4\n").with("config/dev/overlays/boat/x.yml.rej", "").
		with("config/dev/overlays/Thumbs.db", "").with("config/dev/packages/boat.yml~", "").
		write(t)
	c, err := Load(root)
	require.NoError(t, err)
	require.Len(t, c.Packages, 1)
	e, err := c.Environment("dev")
	require.NoError(t, err)
	require.Equal(t, []Source{{"config/dev/overlays/boat", []byte(`{"packages":{"boat":{"overlays":{}}}}`), true}}, e.Sources)
	require.Empty(t, e.Beside)
}
