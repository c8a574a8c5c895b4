package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/names"
)

// The exit codes; [exitCodesHelp] explains them to users.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitFindings    = 3
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

const exitCodesHelp = `Exit codes of strake:

  0    success
  1    failure; the last line on stderr names the reason and the remedy
  2    the command line is wrong, or names something that does not exist;
       nothing was done
  3    findings or differences: lint, "env validate" or "cache verify" has
       findings; verify, "build --check" or "env diff" finds a difference;
       "requires --check" finds a missing dependency; status finds an install
       that is not ready or has drifted; uninstall would delete objects of users;
       "push --verify" finds damage that it cannot repair
  130  interrupted by SIGINT or SIGTERM; run the same command again to
       continue

The first SIGINT (Ctrl-C) lets a command clean up. A second one stops it immediately.`

// usageError is about the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// findingsError says that the work is done and something was found. The
// findings themselves are on stdout.
type findingsError struct{ error }

func (e findingsError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func findingsf(format string, args ...any) error { return findingsError{fmt.Errorf(format, args...)} }

// report tells err to the person and answers with the exit code.
func (a *app) report(ctx context.Context, cmd *cobra.Command, err error) int {
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		a.complain(errors.New("interrupted"), "; run the same command again to continue")
		return exitInterrupted
	case errors.As(err, &usageError{}), a.display == nil:
		fmt.Fprintf(a.streams.Err, "Usage: %s\nSee %s --help\n", cmd.UseLine(), cmd.CommandPath())
		a.complain(err, "")
		return exitUsage
	case errors.As(err, new(*names.UnknownError)):
		a.complain(err, "")
		return exitUsage
	case errors.As(err, &findingsError{}):
		a.complain(err, "")
		return exitFindings
	}
	a.complain(err, a.remedy(err))
	return exitFailure
}

// complain writes a last line that begins with the program's name and has the
// reason and the remedy. Where the message has several lines, as of several errors
// or of a program's output, they stand above it.
func (a *app) complain(err error, remedy string) {
	message := strings.TrimSpace(err.Error())
	if strings.Contains(message, "\n") {
		fmt.Fprintln(a.streams.Err, message)
	}
	name := "strake:"
	if a.color() {
		name = "\x1b[31m" + name + "\x1b[0m"
	}
	fmt.Fprintln(a.streams.Err, name, reason(message)+remedy+further(err))
}

// reason is the first line of a message, and what it announces with a colon.
func reason(message string) string {
	var words []string
	for line := range strings.Lines(message) {
		line = strings.TrimSpace(line)
		if line != "" {
			words = append(words, line)
		}
		if len(words) > 0 && !strings.HasSuffix(line, ":") && line != "" {
			break
		}
	}
	return strings.Join(words, " ")
}

// further counts the errors after the first, where err joins several.
func further(err error) string {
	switch more := joined(err) - 1; {
	case more == 1:
		return " (and 1 more error, above)"
	case more > 1:
		return fmt.Sprintf(" (and %d more errors, above)", more)
	}
	return ""
}

// joined is the number of errors that [errors.Join] put together in err, a line
// or more each.
func joined(err error) int {
	for ; err != nil; err = errors.Unwrap(err) {
		list, ok := err.(interface{ Unwrap() []error })
		if !ok {
			continue
		}
		parts := list.Unwrap()
		if len(parts) > 0 && err.Error() == errors.Join(parts...).Error() {
			return len(parts)
		}
	}
	return 1
}

// remedy is the way out of errors that any command can meet, for which no
// stage has one.
func (a *app) remedy(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded) && a.global.timeout > 0:
		return fmt.Sprintf("; it took longer than --timeout %s: raise it, or pass 0 for no limit", a.global.timeout)
	case says(err, syscall.ENOSPC), says(err, syscall.EDQUOT):
		return "; free some space and run the same command again, or move the cache to another disk with STRAKE_CACHE"
	}
	return ""
}

// says tells whether err is cause, or is what another program, such as the Go
// linker, had to say about it.
func says(err, cause error) bool {
	return errors.Is(err, cause) || strings.Contains(err.Error(), cause.Error())
}
