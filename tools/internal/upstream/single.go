package upstream

import (
	"context"
	"fmt"
	"os"
)

// Module is the folder of one module in a version, for its files alone. The go
// command checks it by the checksum database, since no go.sum of ours has it.
func Module(ctx context.Context, path, version string) (string, error) {
	temp, err := os.MkdirTemp("", "strake-module-")
	if err != nil {
		return "", fmt.Errorf("making a folder to resolve modules in: %w", err)
	}
	defer func() { _ = os.RemoveAll(temp) }()
	stdout, runErr := goCommand(ctx, temp, "mod", "download", "-json", path+"@"+version)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	found, err := parseDownloads(stdout)
	switch {
	case err != nil:
		return "", err
	case len(found) != 1:
		return "", fmt.Errorf("downloading module %s@%s: go mod download: %w", path, version, runErr)
	case found[0].Error != "":
		return "", fmt.Errorf("downloading module %s@%s: %s", path, version, found[0].Error)
	}
	return found[0].Dir, nil
}
