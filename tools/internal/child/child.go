// Package child lets this program start itself a second time, for work that must
// not run in the process of a command: code that takes no context, uses the
// process's folder and environment, or runs input that nobody here wrote and
// that may never end or allocate without end.
//
// A child runs one [Job]. It is a process group of its own, which is killed as a
// whole when its context ends, when it uses more memory than it may have and, on
// Linux, when the parent dies. Parent and child are the same file, so what they say
// to each other over stdin and stdout needs no version. [StartProgram] does the same with
// the file of another program.
//
// The program calls [Enter] before anything else, in main and in each TestMain of
// tests that start children. It must not know any stage. Start reading at [Start].
package child

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Mark is the environment variable by which a child knows what it is: the job's name
// and the process ID of its parent, or what [Below] has put there.
const Mark = "STRAKE_CHILD"

// Job is work that a child does.
type Job struct {
	Name string
	// Run does it. An error goes to stderr, and the child then exits with code 1.
	Run func(args []string, in io.Reader, out io.Writer) error
}

// entered says that this process would run a job if it were a child. Without it a
// test without TestMain would start all tests again, and again.
var entered atomic.Bool //nolint:gochecknoglobals // it is a fact about the process

var errNotEntered = errors.New("this program cannot start itself: call child.Enter first in main, or in TestMain")

// Enter runs the job that this process is a child for. It returns the exit code, and
// whether the process is a child at all: then it must exit.
func Enter(jobs ...Job) (code int, child bool) {
	mark, marked := os.LookupEnv(Mark)
	if !marked {
		entered.Store(true)
		return 0, false
	}
	if err := run(mark, jobs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

func run(mark string, jobs []Job) error {
	name, starter, _ := strings.Cut(mark, " ")
	i := slices.IndexFunc(jobs, func(j Job) bool { return j.Name == name })
	if i < 0 || starter != strconv.Itoa(os.Getppid()) && !below(starter) {
		return fmt.Errorf("strake: the environment variable %s is set, which only strake itself may set; unset it", Mark)
	}
	if err := os.Unsetenv(Mark); err != nil {
		return err
	}
	return jobs[i].Run(os.Args[1:], os.Stdin, os.Stdout)
}

// Assign makes this program, when a program that this process runs starts it, do a job.
func Assign(job string) error { return os.Setenv(Mark, mark(job)) }

// Below is for a program that starts helpers by itself: the result is the file of this
// program and the environment variable with which the helper does a job.
func Below(job string) (self, env string, err error) {
	if !entered.Load() {
		return "", "", errNotEntered
	}
	if self, err = os.Executable(); err != nil {
		return "", "", fmt.Errorf("finding this program's file: %w", err)
	}
	return self, Mark + "=" + job + " " + belowPrefix + strconv.Itoa(os.Getpid()), nil
}

// belowPrefix marks the process ID of a process that is not the parent.
const belowPrefix = "below:"

// below tells whether a mark of [Below] names a process that runs in the session of this
// one, as whoever starts a helper for it does.
func below(starter string) bool {
	text, marked := strings.CutPrefix(starter, belowPrefix)
	pid, err := strconv.Atoi(text)
	if !marked || err != nil || pid <= 0 {
		return false
	}
	theirs, err := unix.Getsid(pid)
	if err != nil {
		return false
	}
	ours, err := unix.Getsid(0)
	return err == nil && ours == theirs
}

func mark(job string) string { return job + " " + strconv.Itoa(os.Getpid()) }
