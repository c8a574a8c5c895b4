package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// asInit names the variable that makes the test binary an init of a command: that
// waits for all of its process's children, which in a test would be the test's. With
// the argument asServer it is the server.
const (
	asInit   = "STRAKE_TEST_INIT"
	asServer = "serve"
)

func TestMain(m *testing.M) {
	if os.Getenv(asInit) == "" {
		os.Exit(m.Run())
	}
	if os.Args[1] == asServer {
		fmt.Fprintln(os.Stderr, serve())
		os.Exit(1)
	}
	code, err := supervise(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// underInit is a command as the child of an init.
func underInit(command ...string) *exec.Cmd {
	init := exec.Command(os.Args[0], command...)
	init.Env = append(os.Environ(), asInit+"=true")
	return init
}

func TestSuperviseAnswersAsTheCommand(t *testing.T) {
	for name, test := range map[string]struct {
		command []string
		code    int
		message string
	}{
		"it ends well":        {[]string{"/bin/sh", "-c", "exit 0"}, 0, ""},
		"it fails":            {[]string{"/bin/sh", "-c", "exit 7"}, 7, ""},
		"it is killed":        {[]string{"/bin/sh", "-c", "kill -KILL $$"}, 128 + int(syscall.SIGKILL), ""},
		"it is no command":    {[]string{"/nowhere"}, 1, "/nowhere: no such file or directory"},
		"its children run on": {[]string{"/bin/sh", "-c", "sleep 60 >/dev/null 2>&1 & exit 3"}, 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			command := underInit(test.command...)
			command.Stderr = &stderr
			_ = command.Run()
			require.Equal(t, test.code, command.ProcessState.ExitCode())
			require.Contains(t, stderr.String(), test.message)
		})
	}
}

func TestSupervisePassesSignalsOn(t *testing.T) {
	command := underInit("/bin/sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done")
	stdout, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready", strings.TrimSpace(line))
	require.NoError(t, command.Process.Signal(syscall.SIGTERM))
	_ = command.Wait()
	require.Equal(t, 9, command.ProcessState.ExitCode())
}
