package upstream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	vendircmd "carvel.dev/vendir/pkg/vendir/cmd"
	vendir "carvel.dev/vendir/pkg/vendir/config"
	"github.com/cppforlife/go-cli-ui/ui"

	"github.com/strake-dev/strake/tools/internal/child"
)

// vendir stages what it fetches in the current folder of its process, reads
// settings from the environment, calls programs by name and takes no context.
// A program that does several things at once and must stop when told to
// cannot lend it its own process, so it runs in a child. helm is another one, which
// vendir starts by the name of a file.
const (
	vendirJob = "vendir"
	helmJob   = "helm"
	chartsEnv = "STRAKE_UPSTREAM_CHARTS"
	// vendirMemory is for git, which maps what it fetches.
	vendirMemory = 4 << 30
)

// Jobs are what children of this package do; [child.Enter] must know them.
func Jobs() []child.Job {
	return []child.Job{{Name: vendirJob, Run: childVendir}, {Name: helmJob, Run: childHelm}}
}

// childVendir is `vendir sync` in the folder args[0] with the configuration
// args[1], writing the lock args[2].
func childVendir(args []string, _ io.Reader, _ io.Writer) error {
	if len(args) != 3 {
		return fmt.Errorf("vendir takes 3 arguments, not %d", len(args))
	}
	if err := boundChild(); err != nil {
		return err
	}
	if err := child.Assign(helmJob); err != nil {
		return err
	}
	o := vendircmd.NewSyncOptions(ui.NewWriterUI(io.Discard, io.Discard, ui.NewNoopLogger()))
	o.Chdir, o.Files, o.LockFile = args[0], []string{args[1]}, args[2]
	// Links are checked by whoever started this, who can name the source.
	o.AllowAllSymlinkDestinations = true
	return o.Run()
}

// runVendir lets a child fetch what the configuration says into the folder
// files, and returns the lock that it wrote. temp holds what is only needed
// meanwhile; charts are the sums that charts must have.
func runVendir(ctx context.Context, c *config, what vendir.Config, charts map[string]string, temp, files string) (vendir.LockConfig, error) {
	data, err := what.AsBytes()
	if err != nil {
		return vendir.LockConfig{}, err
	}
	if err := os.MkdirAll(temp, 0o755); err != nil {
		return vendir.LockConfig{}, fmt.Errorf("making a folder to fetch into: %w", err)
	}
	configFile, lock := filepath.Join(temp, "vendir.yml"), filepath.Join(temp, "vendir.lock.yml")
	if err := os.WriteFile(configFile, data, 0o600); err != nil {
		return vendir.LockConfig{}, fmt.Errorf("writing vendir's configuration: %w", err)
	}
	if err := os.MkdirAll(files, 0o755); err != nil {
		return vendir.LockConfig{}, fmt.Errorf("making the folder of the sources: %w", err)
	}
	env, err := childEnv(charts, temp)
	if err != nil {
		return vendir.LockConfig{}, err
	}
	err = child.Run(ctx, vendirJob, child.Options{Args: []string{files, configFile, lock}, Env: env, Memory: vendirMemory})
	switch {
	case ctx.Err() != nil:
		return vendir.LockConfig{}, fmt.Errorf("%s: %w", c.file, ctx.Err())
	case err != nil:
		return vendir.LockConfig{}, fmt.Errorf("%s: vendir: %w", c.file, err)
	}
	return vendir.NewLockConfigFromFile(lock)
}

// childEnv is what the child's environment has beside ours: a helm that is this
// executable, the sums that it must find, and a folder for what it leaves behind when it
// is killed.
func childEnv(charts map[string]string, temp string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program's file: %w", err)
	}
	helm := filepath.Join(temp, helmJob)
	if err := os.Symlink(self, helm); err != nil {
		return nil, fmt.Errorf("making a helm for vendir: %w", err)
	}
	sums, err := json.Marshal(charts)
	if err != nil {
		return nil, fmt.Errorf("passing on the sums of charts: %w", err)
	}
	// vendir's own cache would answer for a digest with whatever is in it.
	env := []string{chartsEnv + "=" + string(sums), "TMPDIR=" + temp, "VENDIR_HELM_BINARY=" + helm, "VENDIR_CACHE_DIR="}
	return append(env, guards()...), nil
}
