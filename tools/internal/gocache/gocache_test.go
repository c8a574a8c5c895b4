package gocache_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/child"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/gotool"
)

// TestMain lets the test's program be the build cache, and a run that is killed.
func TestMain(m *testing.M) {
	if code, isChild := child.Enter(gocache.Job()); isChild {
		os.Exit(code)
	}
	if dir, wanted := os.LookupEnv(killedEnv); wanted {
		killed(dir)
	}
	os.Exit(m.Run())
}

// module makes a module with a command and a package that no cache can have yet.
func module(t *testing.T) (dir string) {
	t.Helper()
	t.Setenv(cache.EnvDir, t.TempDir())
	dir = t.TempDir()
	for name, content := range map[string]string{
		"go.mod":     "module example.test/tiny\n\ngo 1.26\n",
		"main.go":    "package main\n\nimport \"example.test/tiny/lib\"\n\nfunc main() { println(lib.Text) }\n",
		"lib/lib.go": fmt.Sprintf("package lib\n\nvar Text = %q\n", dir),
	} {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
	}
	return dir
}

// build compiles a package of a module and returns the names of those of the module
// that were not in any cache.
func build(ctx context.Context, dir, pkg string) ([]string, error) {
	env, err := gocache.Env(ctx)
	if err != nil {
		return nil, err
	}
	cmd, err := gotool.Command(ctx, "build", "-v", "-o", os.DevNull, pkg)
	if err != nil {
		return nil, err
	}
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	var compiled []string
	for line := range strings.Lines(string(out)) {
		if strings.HasPrefix(line, "example.test/") {
			compiled = append(compiled, strings.TrimSpace(line))
		}
	}
	return compiled, nil
}

func compiles(t *testing.T, ctx context.Context, dir, pkg string) []string { //nolint:revive // t comes first in tests
	t.Helper()
	compiled, err := build(ctx, dir, pkg)
	require.NoError(t, err)
	return compiled
}

// stored tells whether there is a store.
func stored(t *testing.T) bool {
	t.Helper()
	stores, err := cache.List(gocache.Kind)
	require.NoError(t, err)
	return len(stores) > 0 && stores[0].Size > 0
}

func TestNothingIsCompiledTwice(t *testing.T) {
	dir := module(t)
	first, failed := gocache.With(t.Context())
	require.Equal(t, []string{"example.test/tiny/lib"}, compiles(t, first, dir, "./lib"))
	require.Equal(t, []string{"example.test/tiny"}, compiles(t, first, dir, "."))
	failed()
	require.True(t, stored(t), "for the next try")

	second, done := gocache.With(t.Context())
	require.Empty(t, compiles(t, second, dir, "."))
	gocache.Clear(second)
	require.False(t, stored(t))
	done()
	require.False(t, stored(t))

	// Go's own cache has got nothing of it.
	require.Equal(t, []string{"example.test/tiny/lib", "example.test/tiny"}, compiles(t, t.Context(), dir, "."))
	third, done := gocache.With(t.Context())
	defer done()
	require.Empty(t, compiles(t, third, dir, "."), "but what it has is used")
}

func TestRunsShareTheStore(t *testing.T) {
	dir := module(t)
	one, endOne := gocache.With(t.Context())
	two, endTwo := gocache.With(t.Context())
	defer endTwo()
	var group sync.WaitGroup
	for _, ctx := range []context.Context{one, two} {
		for _, pkg := range []string{".", "./lib"} {
			group.Go(func() {
				_, err := build(ctx, dir, pkg)
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	gocache.Clear(one)
	endOne()
	require.True(t, stored(t), "the other run uses it")
	require.Empty(t, compiles(t, two, dir, "."))
	stores, err := cache.List(gocache.Kind)
	require.NoError(t, err)
	removed, err := stores[0].Remove()
	require.NoError(t, err)
	require.False(t, removed, "nor does \"strake cache clear\" take it away")
	gocache.Clear(two)
	require.False(t, stored(t))
}

// killedEnv makes the test's program compile in the module that it names.
const killedEnv = "GOCACHE_TEST_KILLED"

// killed compiles a package of a module, and then waits to be killed.
func killed(dir string) {
	ctx, _ := gocache.With(context.Background())
	_, err := build(ctx, dir, "./lib")
	fmt.Println("ready", err)
	select {}
}

func TestKill(t *testing.T) {
	dir := module(t)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), killedEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.NoError(t, err)
	require.Equal(t, "ready <nil>\n", line)

	ctx, done := gocache.With(t.Context())
	defer done()
	require.Equal(t, []string{"example.test/tiny"}, compiles(t, ctx, dir, "."), "without lib")
	gocache.Clear(ctx)
	require.False(t, stored(t))
}

// TestUsersChoice: a GOCACHEPROG or GOCACHE=off of the user is kept.
func TestUsersChoice(t *testing.T) {
	dir := module(t)
	for name, value := range map[string]string{"GOCACHEPROG": "/no/such/program", "GOCACHE": "off"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			ctx, done := gocache.With(t.Context())
			defer done()
			env, err := gocache.Env(ctx)
			require.NoError(t, err)
			require.Empty(t, env)
			_, err = build(ctx, dir, ".")
			require.ErrorContains(t, err, value)
		})
	}
}
