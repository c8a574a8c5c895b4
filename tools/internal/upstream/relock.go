package upstream

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	vendir "carvel.dev/vendir/pkg/vendir/config"

	"github.com/strake-dev/strake/tools/internal/cache"
)

// lock fetches without a lock and keeps the one that vendir then writes.
func lock(ctx context.Context, c *config, file string) error {
	temp, done, err := cache.Scratch(ctx, CacheKind)
	if err != nil {
		return fmt.Errorf("making a folder to fetch into: %w", err)
	}
	defer done()
	fetched, err := c.fetched()
	if err != nil {
		return err
	}
	got, err := runVendir(ctx, c, fetched, temp, filepath.Join(temp, filesDir))
	if err != nil {
		return err
	}
	return writeLock(file, got)
}

func writeLock(file string, l vendir.LockConfig) error {
	data, err := l.AsBytes()
	if err != nil {
		return err
	}
	temp := file + ".part"
	if err := os.WriteFile(temp, data, 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	if err := os.Rename(temp, file); err != nil {
		return fmt.Errorf("writing %s: %w", file, err)
	}
	return nil
}
