package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	vendircmd "carvel.dev/vendir/pkg/vendir/cmd"
	vendir "carvel.dev/vendir/pkg/vendir/config"
	"github.com/cppforlife/go-cli-ui/ui"
)

// vendir stages what it fetches in the current folder of its process, reads
// settings from the environment, calls programs by name and takes no context.
// A program that does several things at once and must stop when told to
// cannot lend it its own process, so this package starts its own executable a
// second time, marked by an environment variable, and that one is vendir. The
// mark is looked for when the package is initialised, so that every program
// that links it, a test's too, can be its own vendir.
const (
	childMark = "STRAKE_UPSTREAM_CHILD"
	chartsEnv = "STRAKE_UPSTREAM_CHARTS"
	helmName  = "helm"
	// killGrace is how long git and other children of vendir may take to
	// close their output once they are told to end.
	killGrace = 5 * time.Second
)

func init() {
	if os.Getenv(childMark) == "" {
		return
	}
	run := childVendir
	if filepath.Base(os.Args[0]) == helmName {
		run = childHelm
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // this process is vendir, and main must not begin
	}
	os.Exit(0) //nolint:forbidigo // see above
}

// childVendir is `vendir sync` in the folder args[0] with the configuration
// args[1], writing the lock args[2].
func childVendir(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("%s is set in the environment: unset it", childMark)
	}
	if err := boundChild(); err != nil {
		return err
	}
	o := vendircmd.NewSyncOptions(ui.NewWriterUI(os.Stdout, os.Stdout, ui.NewNoopLogger()))
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
	if err := runChild(ctx, env, files, configFile, lock); err != nil {
		return vendir.LockConfig{}, fmt.Errorf("%s: %w", c.file, err)
	}
	return vendir.NewLockConfigFromFile(lock)
}

// childEnv is the child's environment: ours, with a helm that is this
// executable, and the sums that it must find.
func childEnv(charts map[string]string, temp string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program's file: %w", err)
	}
	helm := filepath.Join(temp, helmName)
	if err := os.Symlink(self, helm); err != nil {
		return nil, fmt.Errorf("making a helm for vendir: %w", err)
	}
	sums, err := json.Marshal(charts)
	if err != nil {
		return nil, fmt.Errorf("passing on the sums of charts: %w", err)
	}
	// vendir's own cache would answer for a digest with whatever is in it.
	env := append(os.Environ(), childMark+"=1", chartsEnv+"="+string(sums),
		"VENDIR_HELM_BINARY="+helm, "VENDIR_CACHE_DIR=")
	return append(env, guards()...), nil
}

func runChild(ctx context.Context, env []string, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's file: %w", err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env, cmd.Stderr = env, &stderr
	// The child starts programs of its own; the whole group must go.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = killGrace
	err = cmd.Run()
	if said := oneLine(stderr.String()); err != nil && said != "" {
		err = errors.New(said)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("vendir: %w", err)
	}
	return nil
}

// oneLine joins the lines of what a program printed.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
