package child_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/child"
)

func TestMain(m *testing.M) {
	if code, isChild := child.Enter(
		child.Job{Name: "echo", Run: echo},
		child.Job{Name: "fail", Run: func([]string, io.Reader, io.Writer) error { return errors.New("no such\nluck") }},
		child.Job{Name: "panic", Run: func([]string, io.Reader, io.Writer) error { panic("lost") }},
		child.Job{Name: "forever", Run: forever},
		child.Job{Name: "family", Run: family},
		child.Job{Name: "grow", Run: grow},
		child.Job{Name: "chatter", Run: chatter},
		child.Job{Name: "hungryFamily", Run: hungryFamily},
	); isChild {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

func echo(args []string, in io.Reader, out io.Writer) error {
	_, err := fmt.Fprintln(out, args, os.Getenv("SAID"))
	if err == nil {
		_, err = io.Copy(out, in)
	}
	return err
}

func forever([]string, io.Reader, io.Writer) error {
	time.Sleep(time.Hour)
	return nil
}

// family starts a process of its own, and tells its process ID.
func family(_ []string, _ io.Reader, out io.Writer) error {
	sleep := exec.Command("sleep", "3600")
	if err := sleep.Start(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, sleep.Process.Pid); err != nil {
		return err
	}
	return sleep.Wait()
}

func grow([]string, io.Reader, io.Writer) error {
	var kept [][]byte
	for {
		block := make([]byte, 1<<20)
		for i := 0; i < len(block); i += 4096 {
			block[i] = 1
		}
		kept = append(kept, block)
		if len(kept) > 1<<14 {
			return errors.New("16 GiB were allowed")
		}
	}
}

// hungryFamily lets a process that it starts take 300 MB.
func hungryFamily([]string, io.Reader, io.Writer) error {
	return exec.Command("sh", "-c", `kept=$(head -c 300000000 /dev/zero | tr '\0' x); sleep 60; echo "${#kept}"`).Run()
}

// chatter writes 1 MB to stderr.
func chatter([]string, io.Reader, io.Writer) error {
	for range 1000 {
		fmt.Fprintln(os.Stderr, strings.Repeat("x", 1000))
	}
	return errors.New("failed")
}

// TestStderrIsBounded: print() in a template writes there.
func TestStderrIsBounded(t *testing.T) {
	err := child.Run(t.Context(), "chatter", child.Options{})
	require.Error(t, err)
	require.Less(t, len(err.Error()), 5000)
}

func TestRun(t *testing.T) {
	for job, want := range map[string]string{
		"echo":    "",
		"fail":    "no such luck",
		"panic":   "panic: lost",
		"nothing": child.Mark + " is set, which only strake itself may set",
	} {
		t.Run(job, func(t *testing.T) {
			err := child.Run(t.Context(), job, child.Options{})
			if want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, want)
		})
	}
}

func TestPipes(t *testing.T) {
	p, err := child.Start(t.Context(), "echo", child.Options{Args: []string{"a", "b"}, Env: []string{"SAID=so"}})
	require.NoError(t, err)
	_, err = io.WriteString(p.In, "text")
	require.NoError(t, err)
	require.NoError(t, p.In.Close())
	out, err := io.ReadAll(p.Out)
	require.NoError(t, err)
	require.Equal(t, "[a b] so\ntext", string(out))
	require.NoError(t, p.Wait())
}

// TestStartProgram: the program of a file is bounded like this one.
func TestStartProgram(t *testing.T) {
	p, err := child.StartProgram(t.Context(), "/bin/sh", child.Options{Args: []string{"-c", `echo "$SAID"; cat; echo no such luck >&2; exit 1`}, Env: []string{"SAID=so"}})
	require.NoError(t, err)
	require.NoError(t, p.In.Close())
	out, err := io.ReadAll(p.Out)
	require.NoError(t, err)
	require.Equal(t, "so\n", string(out))
	require.EqualError(t, p.Wait(), "no such luck")

	_, err = child.StartProgram(t.Context(), "/nowhere/program", child.Options{})
	require.ErrorContains(t, err, "starting /nowhere/program: ")
}

func TestContextEndsTheGroup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, err := child.Start(ctx, "family", child.Options{})
	require.NoError(t, err)
	line := make([]byte, 32)
	n, err := p.Out.Read(line)
	require.NoError(t, err)
	grandchild, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	require.NoError(t, err)
	require.True(t, runs(grandchild))
	cancel()
	require.ErrorContains(t, p.Wait(), "killed")
	require.Eventually(t, func() bool { return !runs(grandchild) }, 10*time.Second, 10*time.Millisecond)
}

// runs tells whether there is a process that has not ended; what is left of one whose
// parent has died first may be there for good in a container.
func runs(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		return syscall.Kill(pid, 0) == nil
	}
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, child.Run(ctx, "forever", child.Options{}), context.DeadlineExceeded)
}

func TestMemory(t *testing.T) {
	err := child.Run(t.Context(), "grow", child.Options{Memory: 256 << 20})
	var tooMuch *child.MemoryError
	require.ErrorAs(t, err, &tooMuch)
	require.ErrorContains(t, err, "the limit of 256Mi; find what grows without end, or raise the limit with STRAKE_CHILD_MEMORY")

	require.ErrorAs(t, child.Run(t.Context(), "hungryFamily", child.Options{Memory: 256 << 20}), &tooMuch, "what it starts counts, too")

	t.Setenv(child.EnvMemory, "128Mi")
	require.ErrorContains(t, child.Run(t.Context(), "grow", child.Options{Memory: 8 << 30}), "the limit of 128Mi")
	for _, text := range []string{"much", "-1Gi", "0"} {
		t.Setenv(child.EnvMemory, text)
		require.ErrorContains(t, child.Run(t.Context(), "echo", child.Options{Memory: 1 << 30}), "is not an amount of memory such as 4Gi")
	}
}

// TestBelow: a program that this one starts runs it for a job.
func TestBelow(t *testing.T) {
	self, env, err := child.Below("echo")
	require.NoError(t, err)
	cmd := exec.Command("sh", "-c", `"$0" one two; exit $?`, self)
	cmd.Env = append(os.Environ(), env)
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, "[one two] \n", string(out))

	// A process of another session; process 1 may well be of this one in a container.
	other := exec.Command("sleep", "60")
	other.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(t, other.Start())
	t.Cleanup(func() {
		require.NoError(t, other.Process.Kill())
		_ = other.Wait() // it was killed
	})

	for _, pid := range []string{"", "0", "-1", "999999999", strconv.Itoa(other.Process.Pid)} {
		mark := "echo below:" + pid
		cmd.Env = append(os.Environ(), child.Mark+"="+mark)
		again := exec.Command(cmd.Path, cmd.Args[1:]...)
		again.Env = cmd.Env
		out, err := again.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "unset it")
	}
}

// TestMarkByAccident: a mark that no parent has set runs nothing.
func TestMarkByAccident(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for _, mark := range []string{"", "1", "echo", "echo 1"} {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), child.Mark+"="+mark)
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "the environment variable STRAKE_CHILD is set, which only strake itself may set; unset it")
	}
}
