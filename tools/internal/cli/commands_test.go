package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/devcluster"
	"github.com/strake-dev/strake/tools/internal/names"
	"github.com/strake-dev/strake/tools/internal/platform"
)

func newTestRoot() *cobra.Command {
	return newRoot(&app{streams: Streams{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}})
}

// each calls f for all commands that a user can run.
func each(c *cobra.Command, f func(*cobra.Command)) {
	if c.Runnable() {
		f(c)
	}
	for _, below := range c.Commands() {
		each(below, f)
	}
}

func TestEveryCommandExplainsItself(t *testing.T) {
	each(newTestRoot(), func(c *cobra.Command) {
		t.Run(c.CommandPath(), func(t *testing.T) {
			require.NotEmpty(t, c.Short)
			require.NotEmpty(t, c.Long)
			require.Contains(t, c.Example, c.CommandPath(), "an example that shows the command")
			require.Regexp(t, `^[A-Z].*[^.]$`, c.Short, "a headline, without a full stop")
		})
	})
}

func TestNoCommandTakesMoreThanItSays(t *testing.T) {
	each(newTestRoot(), func(c *cobra.Command) {
		if c.HasSubCommands() || strings.Contains(c.Use, "...") {
			return
		}
		t.Run(c.CommandPath(), func(t *testing.T) {
			require.NotNil(t, c.Args)
			require.Error(t, c.Args(c, []string{"a", "b", "c"}))
		})
	})
}

func TestEnumFlag(t *testing.T) {
	var value format
	cmd := &cobra.Command{Use: "x"}
	enumFlag(cmd, &value, "output", "o", "how", formatText, formatJSON)
	require.Equal(t, formatText, value)
	require.NoError(t, cmd.ParseFlags([]string{"-o", "json"}))
	require.Equal(t, formatJSON, value)
	require.ErrorContains(t, cmd.ParseFlags([]string{"-o", "xml"}), "must be one of text, json")
	require.Equal(t, formatJSON, value, "a refused word changes nothing")
	require.Contains(t, cmd.Flags().FlagUsages(), "text|json")
}

func TestReport(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name    string
		ctx     context.Context
		timeout time.Duration
		err     error
		code    int
		says    string
	}{
		{"success", t.Context(), 0, nil, exitOK, ""},
		{"one line", t.Context(), 0, errors.New("it broke; mend it"), exitFailure, "strake: it broke; mend it\n"},
		{"several errors", t.Context(), 0, errors.Join(errors.New("one"), errors.New("two")), exitFailure,
			"one\ntwo\nstrake: one (and 1 more error, above)\n"},
		{"several errors, of one thing", t.Context(), 0, fmt.Errorf("reading: %w", errors.Join(errors.New("one"), errors.New("two"), errors.New("three"))), exitFailure,
			"reading: one\ntwo\nthree\nstrake: reading: one (and 2 more errors, above)\n"},
		{"what a program said", t.Context(), 0, errors.New("rendering tiny: ytt:\n\n  - schema.yml:3:\n    wrong type\n    expected: integer"), exitFailure,
			"rendering tiny: ytt:\n\n  - schema.yml:3:\n    wrong type\n    expected: integer\nstrake: rendering tiny: ytt: - schema.yml:3: wrong type\n"},
		{"several findings", t.Context(), 0, findingsError{errors.Join(errors.New("one"), errors.New("two"))}, exitFindings,
			"one\ntwo\nstrake: one (and 1 more error, above)\n"},
		{"a name that does not exist", t.Context(), 0, fmt.Errorf("reading: %w", names.Unknownf("no package x; known: y")), exitUsage,
			"strake: reading: no package x; known: y\n"},
		{"two names that do not exist", t.Context(), 0, errors.Join(names.Unknownf("no package x"), names.Unknownf("no package z")), exitUsage,
			"no package x\nno package z\nstrake: no package x (and 1 more error, above)\n"},
		{"findings", t.Context(), 0, findingsf("2 findings"), exitFindings, "strake: 2 findings\n"},
		{"wrong flags of a command", t.Context(), 0, usagef("not both"), exitUsage, "Usage: x\nSee x --help\nstrake: not both\n"},
		{"interrupted", ended, 0, fmt.Errorf("pushing: %w", context.Canceled), exitInterrupted,
			"strake: interrupted; run the same command again to continue\n"},
		{"interrupted, but done", ended, 0, nil, exitOK, ""},
		{"timeout", t.Context(), time.Second, fmt.Errorf("pushing: %w", context.DeadlineExceeded), exitFailure,
			"strake: pushing: context deadline exceeded; it took longer than --timeout 1s: raise it, or pass 0 for no limit\n"},
		{"somebody else's deadline", t.Context(), 0, context.DeadlineExceeded, exitFailure, "strake: context deadline exceeded\n"},
		{"full disk", t.Context(), 0, fmt.Errorf("writing: %w", syscall.ENOSPC), exitFailure,
			"strake: writing: no space left on device; free some space and run the same command again, or move the cache to another disk with STRAKE_CACHE\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var stderr bytes.Buffer
			a := &app{streams: Streams{Err: &stderr}}
			a.global.timeout = test.timeout
			run := a.around(func(*cobra.Command, []string) error { return test.err })
			cmd := &cobra.Command{Use: "x"}
			cmd.SetContext(test.ctx)
			require.Equal(t, test.code, a.report(test.ctx, cmd, run(cmd, nil)))
			require.Equal(t, test.says, stderr.String())
		})
	}
}

func TestErrorBeforeTheWorkIsAboutTheCommandLine(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{streams: Streams{Err: &stderr}}
	require.Equal(t, exitUsage, a.report(t.Context(), &cobra.Command{Use: "x"}, errors.New("required flag")))
	require.Contains(t, stderr.String(), "Usage: x\nSee x --help\nstrake: required flag\n")
}

func TestRegistryFlags(t *testing.T) {
	for _, test := range []struct {
		args    []string
		retries int
	}{
		{nil, 5},
		{[]string{"--registry-retries", "2"}, 2},
		{[]string{"--registry-retries", "0"}, -1},
	} {
		var f registryFlags
		cmd := &cobra.Command{Use: "x"}
		f.add(cmd)
		require.NoError(t, cmd.ParseFlags(test.args))
		require.Equal(t, test.retries, f.options().Retries)
	}
}

func TestWithin(t *testing.T) {
	for _, test := range []struct {
		file   string
		paths  []string
		path   string
		wanted bool
	}{
		{"a/b/c", nil, "", true},
		{"a/b/c", []string{"a/b/c"}, "a/b/c", true},
		{"a/b/c", []string{"x", "a/b/"}, "a/b/", true},
		{"a/bc", []string{"a/b"}, "", false},
	} {
		path, wanted := within(test.file, test.paths)
		require.Equal(t, test.path, path)
		require.Equal(t, test.wanted, wanted)
	}
}

func TestPrintUpSaysHowToGoOnAndHowToUndo(t *testing.T) {
	result := &platform.Result{
		Cluster:   devcluster.Result{Kubeconfig: "/home/me/.kube/config", Context: "kind-strake", RegistryPush: "127.0.0.1:5000"},
		Installed: []platform.Installed{{Namespace: "strake", Name: "app", Package: "app.strake.test", Version: "1.0.0"}},
	}
	for _, test := range []struct {
		cluster devcluster.Options
		down    string
	}{
		{devcluster.Options{Name: "strake"}, "\n  " + os.Args[0] + " down\n"},
		{devcluster.Options{Name: "other", Kubeconfig: "k.yml"}, "\n  " + os.Args[0] + " down --name other --kubeconfig k.yml\n"},
		{devcluster.Options{Name: "strake", Context: "theirs"}, "\n  kctrl package installed delete -i PACKAGE -n strake\n"},
	} {
		var out bytes.Buffer
		f := upFlags{namespace: "strake", cluster: clusterFlags{options: test.cluster}}
		require.NoError(t, printUp(&out, f, result))
		require.Contains(t, out.String(), "app.strake.test 1.0.0 is installed as strake/app")
		require.Contains(t, out.String(), "export KUBECONFIG=/home/me/.kube/config\n")
		require.Contains(t, out.String(), test.down)
	}
}
