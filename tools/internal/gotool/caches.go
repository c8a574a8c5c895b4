package gotool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Caches are the caches of the go command, which all Go programs share.
type Caches struct {
	// Build is the folder with what was compiled; "off" if there is to be none.
	Build string `json:"GOCACHE"`
	// Modules is the folder with the sources of modules.
	Modules string `json:"GOMODCACHE"`
	// Program is what keeps the compiled files instead of Build; usually empty.
	Program string `json:"GOCACHEPROG"`
}

// FindCaches asks the go command where its caches are. The error wraps [ErrMissing]
// without a go command.
func FindCaches(ctx context.Context) (c Caches, err error) {
	cmd, err := Command(ctx, "env", "-json", "GOCACHE", "GOMODCACHE", "GOCACHEPROG")
	if err != nil {
		return c, err
	}
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	if err == nil {
		err = json.Unmarshal(out, &c)
	}
	if err != nil {
		return c, fmt.Errorf("asking go env for the folders of its caches: %w", err)
	}
	return c, nil
}
