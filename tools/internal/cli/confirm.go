package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// confirmFlag is --yes of a command that deletes.
type confirmFlag struct{ yes bool }

func (f *confirmFlag) add(cmd *cobra.Command) {
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask; required if stdin is not a terminal")
}

// check refuses to delete where nobody can be asked. A command calls it before
// it does anything.
func (f *confirmFlag) check(a *app) error {
	if f.yes || isTerminal(a.streams.In) {
		return nil
	}
	return usagef("stdin is not a terminal, so deletion cannot be confirmed; pass --yes to delete without asking")
}

// ask returns nil if the user agrees, after what will be deleted was printed.
func (f *confirmFlag) ask(ctx context.Context, a *app, question string) error {
	if f.yes {
		return nil
	}
	a.close()
	fmt.Fprintf(a.streams.Err, "%s [y/N]: ", question)
	answer, err := readLine(ctx, a.streams.In)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("not confirmed, so nothing was deleted")
	}
	return nil
}

// readLine returns when a line is read or ctx ends. What is typed afterwards is
// read by nobody: the program is about to end.
func readLine(ctx context.Context, r io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(r).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil // nothing was typed, which is no agreement
		}
		read <- result{line, err}
	}()
	select {
	case r := <-read:
		return r.line, r.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func isTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
