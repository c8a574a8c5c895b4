package nodeimage

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// errorTail is how much of a failed command's standard error a person sees.
const errorTail = 2000

// output runs a command that ends softly when its context does, and puts the
// end of what it wrote to standard error into the error.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// A group of its own, so that the children of a command end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("running %s %s: %w: %s", cmd.Args[0], cmd.Args[1], err, tail(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// tail is the end of what a command said: that is where it names its trouble.
func tail(said []byte) string {
	s := strings.TrimSpace(string(said))
	return s[max(0, len(s)-errorTail):]
}
