// Package gotool starts the go command for the stages that fetch modules or
// compile. It must not know what they ask of it. Start reading at [Command].
package gotool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// EnvPath names the environment variable by which ko, and so strake, is told
// of another go command than that on PATH.
const EnvPath = "KO_GO_PATH"

// ErrMissing is the error of a machine without a go command.
var ErrMissing = errors.New("the go command is not on PATH: install Go from https://go.dev/dl/ and add its bin folder to PATH")

// waitDelay is how long a go command that was ended may keep its output open. A
// version manager's script named go may leave the real one running, with that output.
const waitDelay = 5 * time.Second

// Command returns the go command with args, ready to be run: that on PATH, or
// the one that $KO_GO_PATH names. It ends with ctx. Without a go command, the
// error wraps [ErrMissing] and names the remedy.
func Command(ctx context.Context, args ...string) (*exec.Cmd, error) {
	path, err := find()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.WaitDelay = waitDelay
	return cmd, nil
}

func find() (string, error) {
	if named := os.Getenv(EnvPath); named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("%s names a go command that cannot be run: %w: correct or unset it", EnvPath, err)
		}
		return path, nil
	}
	path, err := exec.LookPath("go")
	if errors.Is(err, exec.ErrNotFound) {
		return "", ErrMissing
	}
	if err != nil {
		return "", fmt.Errorf("looking for the go command: %w", err)
	}
	return path, nil
}
