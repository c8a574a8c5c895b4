package upstream

import (
	"bytes"
	"context"
	"fmt"
	"os"

	vendir "carvel.dev/vendir/pkg/vendir/config"

	"github.com/strake-dev/strake/tools/internal/cache"
)

// lock fetches without a lock and writes the one of what has arrived.
func lock(ctx context.Context, c *config, file string) (Outcome, error) {
	temp, done, err := cache.Scratch(ctx, CacheKind)
	if err != nil {
		return "", fmt.Errorf("making a folder to fetch into: %w", err)
	}
	defer done()
	fetched, err := c.fetched()
	if err != nil {
		return "", err
	}
	got, err := c.fetch(ctx, fetched, temp)
	if err != nil {
		return "", err
	}
	return writeLock(file, got.lock)
}

func writeLock(file string, l vendir.LockConfig) (Outcome, error) {
	data, err := l.AsBytes()
	if err != nil {
		return "", err
	}
	if before, err := os.ReadFile(file); err == nil && bytes.Equal(before, data) {
		return Unchanged, nil
	}
	temp := file + ".part"
	if err := os.WriteFile(temp, data, 0o644); err != nil {
		return "", fmt.Errorf("writing %s: %w", file, err)
	}
	if err := os.Rename(temp, file); err != nil {
		return "", fmt.Errorf("writing %s: %w", file, err)
	}
	return Locked, nil
}
