// Package kapp deploys objects with kapp as a library, as kapp-controller
// would: in order, waiting for each until it works, and remembering what
// belongs together so that it can be removed again.
//
// It must not know what it deploys. Start reading at [Deploy].
package kapp

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"carvel.dev/kapp/pkg/kapp/cmd"
	"github.com/cppforlife/go-cli-ui/ui"
)

// Target says what is deployed where.
type Target struct {
	// Kubeconfig is a file and Context a name in it; empty means kubectl's own.
	Kubeconfig, Context string
	// App names what belongs together; kapp keeps its record in Namespace,
	// which must exist, and puts namespaced objects without one there.
	App, Namespace string
}

func (t Target) flags() []string {
	flags := []string{"--app", t.App, "--namespace", t.Namespace, "--yes", "--color=false", "--wait-check-interval=1s"}
	if t.Kubeconfig != "" {
		flags = append(flags, "--kubeconfig", t.Kubeconfig)
	}
	if t.Context != "" {
		flags = append(flags, "--kubeconfig-context", t.Context)
	}
	return flags
}

// Deploy makes the cluster hold exactly the objects of manifests (YAML
// documents, kapp's own Config among them) under the target's app, and
// returns when all of them work. What kapp says goes to the reporter of ctx.
// kapp knows no context: when ctx ends first, what was begun goes on in the
// background, and a second Deploy continues from there.
func Deploy(ctx context.Context, t Target, manifests []byte) error {
	dir, err := os.MkdirTemp("", "strake-kapp-")
	if err != nil {
		return fmt.Errorf("making a folder for kapp's input: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "objects.yml")
	if err := os.WriteFile(file, manifests, 0o600); err != nil {
		return fmt.Errorf("writing kapp's input: %w", err)
	}
	if err := run(ctx, append([]string{"deploy", "--file", file}, t.flags()...)); err != nil {
		return fmt.Errorf("deploying %s with kapp: %w", t.App, err)
	}
	return nil
}

// Delete removes all that [Deploy] put there under the target's app, and
// waits until it is gone. It is harmless when there is nothing.
func Delete(ctx context.Context, t Target) error {
	if err := run(ctx, append([]string{"delete"}, t.flags()...)); err != nil {
		return fmt.Errorf("deleting %s with kapp: %w", t.App, err)
	}
	return nil
}

func run(ctx context.Context, args []string) error {
	out := newLines(ctx)
	command := cmd.NewDefaultKappCmd(ui.NewWrappingConfUI(ui.NewWriterUI(out, out, ui.NewNoopLogger()), ui.NewNoopLogger()))
	command.SetArgs(args)
	done := make(chan error, 1)
	go func() { done <- command.ExecuteContext(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errors.Join(context.Cause(ctx), out.last())
	}
}
