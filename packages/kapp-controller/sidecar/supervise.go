package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// supervise is what an init does: it runs a command, passes signals on to it, and
// waits for every process that ends, those among them whose parents are gone. It
// answers when the command has ended, with its exit code, or 128 and the signal's
// number. The process must have no other children of its own.
func supervise(command []string) (int, error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	child, err := os.StartProcess(command[0], command, &os.ProcAttr{Files: []*os.File{os.Stdin, os.Stdout, os.Stderr}})
	if err != nil {
		return 1, err
	}
	go func() {
		for s := range signals {
			_ = child.Signal(s) // it may have ended by itself
		}
	}()
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return 1, fmt.Errorf("waiting for processes to end: %w", err)
		case pid == child.Pid && status.Signaled():
			return 128 + int(status.Signal()), nil
		case pid == child.Pid:
			return status.ExitStatus(), nil
		}
	}
}
