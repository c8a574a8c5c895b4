// Package child lets this program start itself a second time, for work that must
// not run in the process of a command: code that takes no context, uses the
// process's folder and environment, or runs input that nobody here wrote and
// that may never end or allocate without end.
//
// A child runs one [Job]. It is a process group of its own, which is killed as a
// whole when its context ends, when it uses more memory than it may have and, on
// Linux, when the parent dies. Parent and child are the same file, so what they say
// to each other over stdin and stdout needs no version.
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
)

// Mark is the environment variable by which a child knows what it is: the job's name
// and the process ID of its parent.
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
	name, parent, _ := strings.Cut(mark, " ")
	i := slices.IndexFunc(jobs, func(j Job) bool { return j.Name == name })
	if i < 0 || parent != strconv.Itoa(os.Getppid()) {
		return fmt.Errorf("strake: the environment variable %s is set, which only strake itself may set; unset it", Mark)
	}
	if err := os.Unsetenv(Mark); err != nil {
		return err
	}
	return jobs[i].Run(os.Args[1:], os.Stdin, os.Stdout)
}

// Assign makes this program, when a program that this process runs starts it, do a job.
func Assign(job string) error { return os.Setenv(Mark, mark(job)) }

func mark(job string) string { return job + " " + strconv.Itoa(os.Getpid()) }
