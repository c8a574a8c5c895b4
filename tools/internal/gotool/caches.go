package gotool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/module"
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

// Missing returns which share of the modules of a go.sum is not in the module cache, from
// 0 to 1. A few that nothing imports are never there.
func (c Caches) Missing(sum []byte) float64 {
	missing, total := 0, 0
	for line := range strings.Lines(string(sum)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || strings.HasSuffix(fields[1], "/go.mod") {
			continue
		}
		total++
		if !c.has(module.Version{Path: fields[0], Version: fields[1]}) {
			missing++
		}
	}
	return float64(missing) / float64(max(total, 1))
}

func (c Caches) has(m module.Version) bool {
	path, err := module.EscapePath(m.Path)
	if err != nil {
		return false
	}
	version, err := module.EscapeVersion(m.Version)
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join(c.Modules, filepath.FromSlash(path+"@"+version)))
	return err == nil
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
