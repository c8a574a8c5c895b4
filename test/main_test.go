// Package test drives the built strake binary and a real cluster, as a user
// would: nothing of tools/ is imported, nothing is mocked.
//
// TestMain brings a cluster of its own up with `strake up` and takes it down
// again. STRAKE names the binary; without it every test is skipped, loudly.
// STRAKE_TEST_KEEP=1 leaves the cluster for a look.
package test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	clusterName = "strake-test"
	upTimeout   = 60 * time.Minute
)

// suite is what TestMain prepared; tests only read it.
type suite struct {
	binary     string
	kubeconfig string
	upOutput   string
	upDuration time.Duration
	cluster    *cluster
}

var shared suite

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	shared.binary = os.Getenv("STRAKE")
	if shared.binary == "" {
		fmt.Fprintln(os.Stderr, "SKIPPED: the tests on a cluster need the built binary in STRAKE; `make integration` sets it")
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "strake-test-")
	if err != nil {
		return fail("making a folder for the kubeconfig", err)
	}
	defer os.RemoveAll(dir)
	shared.kubeconfig = filepath.Join(dir, "kubeconfig")
	defer down()
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), upTimeout)
	defer cancel()
	if shared.upOutput, err = strake(ctx, "up"); err != nil {
		return fail("strake up", err)
	}
	shared.upDuration = time.Since(begin)
	if shared.cluster, err = connect(shared.kubeconfig); err != nil {
		return fail("connecting to the cluster", err)
	}
	return m.Run()
}

func fail(doing string, err error) int {
	fmt.Fprintf(os.Stderr, "FAIL: %s: %v\n", doing, err)
	return 1
}

func down() {
	if os.Getenv("STRAKE_TEST_KEEP") != "" {
		fmt.Fprintf(os.Stderr, "kept: `%s down --name %s` removes the cluster\n", shared.binary, clusterName)
		return
	}
	if _, err := strake(context.Background(), "down"); err != nil {
		fmt.Fprintln(os.Stderr, "strake down:", err)
	}
}

// strake runs the binary on the suite's cluster. Its stdout is the answer;
// stderr goes to the person who watches and, where it fails, into the error.
func strake(ctx context.Context, command string, args ...string) (string, error) {
	args = append([]string{command, "--name", clusterName, "--kubeconfig", shared.kubeconfig}, args...)
	cmd := exec.CommandContext(ctx, shared.binary, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	cmd.Dir = ".."
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, io.MultiWriter(&stderr, os.Stderr)
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("strake %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// onCluster answers with the suite's cluster, or skips where there is none.
func onCluster(t *testing.T) *cluster {
	t.Helper()
	if shared.cluster == nil {
		t.Skip("SKIPPED: no cluster, since STRAKE does not name the built binary; run `make integration`")
	}
	return shared.cluster
}
