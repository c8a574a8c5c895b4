package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/strake-dev/strake/tools/internal/devcluster/fakeapi"
)

func TestMain(m *testing.M) {
	if code, child := Child(); child {
		os.Exit(code)
	}
	testscript.Main(m, map[string]func(){"strake": strake})
}

// strake is what tools/strake does.
func strake() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(Run(ctx, os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// TestScripts runs the program as a user does, in a checkout with one tiny
// package. Each script has a checkout, a cache and a home of its own; only
// the Go build cache is that of the machine.
func TestScripts(t *testing.T) {
	fixture := newFixture(t)
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		Setup:               fixture.setup,
		Condition:           condition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":     cmdExit,
			"registry": cmdRegistry,
			"fault":    cmdFault,
			"stalled":  cmdStalled,
			"tags":     cmdTags,
			"image":    cmdImage,
			"disk":     cmdDisk,
			"undisk":   cmdUndisk,
			"waitfor":  cmdWaitFor,
			"cluster":  cmdCluster,
			"truncate": cmdTruncate,
			"remove":   cmdRemove,
			"only":     cmdOnly,
		},
	})
}

// cmdExit runs a program that must end with a certain exit code:
//
//	exit CODE PROGRAM [ARG...]
func cmdExit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s ended with exit code %d, not %d", args[1], got, want)
	}
}

// cmdCluster starts an API server with the objects of a file, and has kubectl's own
// kubeconfig name it:
//
//	cluster FILE
func cmdCluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cluster FILE")
	}
	_, stop, kubeconfig, err := fakeapi.Start(ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Defer(stop)
	file := filepath.Join(ts.Getenv("WORK"), "kubeconfig")
	ts.Check(os.WriteFile(file, kubeconfig, 0o600))
	ts.Setenv("KUBECONFIG", file)
}
