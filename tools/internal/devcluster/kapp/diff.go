package kapp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"carvel.dev/kapp/pkg/kapp/cmd"
	"carvel.dev/kapp/pkg/kapp/cmd/core"
	"carvel.dev/kapp/pkg/kapp/preflight"
	"github.com/cppforlife/go-cli-ui/ui"
	"github.com/cppforlife/go-cli-ui/ui/table"
	"k8s.io/client-go/rest"
)

// Change is what a deploy would do to one object.
type Change struct {
	// Op is create, update or delete.
	Op string `json:"op"`
	// Object is kapp's description, as in "deployment/a (apps/v1) namespace: b".
	Object string `json:"object"`
	// Diff has the lines that change, with lines around them. Values of Secrets are
	// masked.
	Diff string `json:"diff"`
}

// Diff returns what [Deploy] would change, and writes nothing: requests of kapp's
// that could change the cluster are not sent.
func Diff(ctx context.Context, t Target, manifests []byte) ([]Change, error) {
	dir, err := os.MkdirTemp("", "strake-kapp-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for kapp's input: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "objects.yml")
	if err := os.WriteFile(file, manifests, 0o600); err != nil {
		return nil, fmt.Errorf("writing kapp's input: %w", err)
	}
	found := &changes{UI: ui.NewNoopUI()}
	if err := diff(ctx, found, append([]string{"deploy", "--file", file, "--diff-run", "--diff-changes", "--diff-line-numbers=false"}, t.flags()...)); err != nil {
		return nil, fmt.Errorf("comparing %s with kapp: %w", t.App, err)
	}
	return found.list, nil
}

func diff(ctx context.Context, out ui.UI, args []string) error {
	confUI := ui.NewWrappingConfUI(out, ui.NewNoopLogger())
	config := readOnly{core.NewConfigFactoryImpl()}
	deps := core.NewDepsFactoryImpl(config, confUI)
	options := cmd.NewKappOptions(confUI, config, deps, preflight.NewRegistry(nil))
	command := cmd.NewKappCmd(options, core.NewFlagsFactory(config, deps))
	command.SetArgs(args)
	done := make(chan error, 1)
	go func() { done <- command.ExecuteContext(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// readOnly makes clients that send no request by which the cluster could change.
// kapp itself has written in a diff run.
type readOnly struct{ core.ConfigFactory }

func (r readOnly) RESTConfig() (*rest.Config, error) {
	config, err := r.ConfigFactory.RESTConfig()
	if err != nil {
		return nil, err
	}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return onlyReads{next} })
	return config, nil
}

type onlyReads struct{ next http.RoundTripper }

var errWrite = errors.New("refused, since it could change the cluster")

func (o onlyReads) RoundTrip(request *http.Request) (*http.Response, error) {
	reads := request.Method == http.MethodGet || request.Method == http.MethodHead
	// A review of one's own permissions is a POST that stores nothing.
	if reads || strings.HasPrefix(request.URL.Path, "/apis/authorization.k8s.io/") {
		return o.next.RoundTrip(request)
	}
	return nil, fmt.Errorf("%s %s: %w", request.Method, request.URL.Path, errWrite)
}

// changes collects what kapp prints of each change: a line and a block.
type changes struct {
	ui.UI

	list []Change
}

var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

func (c *changes) BeginLinef(format string, args ...any) {
	line := strings.TrimSpace(fmt.Sprintf(format, args...))
	text, found := strings.CutPrefix(line, "@@ ")
	if !found {
		return
	}
	op, object, _ := strings.Cut(strings.TrimSuffix(text, " @@"), " ")
	c.list = append(c.list, Change{Op: op, Object: object})
}

func (c *changes) PrintBlock(block []byte) {
	if n := len(c.list); n > 0 && c.list[n-1].Diff == "" {
		c.list[n-1].Diff = colours.ReplaceAllString(string(block), "")
	}
}

// PrintTable ends the list: what follows is a summary. Objects that kapp would only
// wait for have no difference.
func (c *changes) PrintTable(table.Table) {
	kept := c.list[:0]
	for _, change := range c.list {
		switch change.Op {
		case "create", "update", "delete":
			kept = append(kept, change)
		}
	}
	c.list = kept
}
