package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/progress"
)

type cacheClearFlags struct {
	olderThan time.Duration
	dryRun    bool
	confirm   confirmFlag
	output    outputFlags
}

func newCacheClear(a *app) *cobra.Command {
	var flags cacheClearFlags
	cmd := &cobra.Command{
		Use:   "clear [KIND...]",
		Short: "Remove entries of the cache",
		Long: `Clear removes all entries of the named kinds, or of every kind. Strake makes them
again when it requires them. Compiling an image again takes minutes.

--older-than keeps entries that any checkout has used within that time. Entries that
another run is making are skipped. If another run still requires a removed entry, it
makes the entry again.

On a terminal, clear asks first. Scripts must pass --yes.`,
		Example: `  strake cache clear --dry-run
  strake cache clear --older-than 720h
  strake cache clear rendered bundles --yes`,
		ValidArgsFunction: completeKinds,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			return clearCache(cmd.Context(), a, flags, args)
		}),
	}
	f := cmd.Flags()
	f.DurationVar(&flags.olderThan, "older-than", 0, "remove only entries that were not used for this time, such as 720h for 30 days")
	f.BoolVar(&flags.dryRun, "dry-run", false, "list the entries and remove nothing")
	flags.confirm.add(cmd)
	flags.output.add(cmd)
	mustComplete(cmd, "older-than", cobra.NoFileCompletions)
	return cmd
}

// clearedRow is one entry that is removed, or would be.
type clearedRow struct {
	Entry string    `json:"entry"`
	Size  int64     `json:"size"`
	Used  time.Time `json:"lastUsed"`
}

func clearCache(ctx context.Context, a *app, f cacheClearFlags, args []string) error {
	kinds, err := chosenKinds(args)
	if err != nil {
		return err
	}
	if f.olderThan < 0 {
		return usagef("--older-than %s is negative", f.olderThan)
	}
	if !f.dryRun {
		if err := f.confirm.check(a); err != nil {
			return err
		}
	}
	chosen, size, err := stale(kinds, time.Now().Add(-f.olderThan))
	if err != nil {
		return err
	}
	if !f.dryRun && len(chosen) > 0 {
		if err := f.confirm.ask(ctx, a, fmt.Sprintf("Remove %d entries (%s) from the cache?", len(chosen), byteSize(size))); err != nil {
			return err
		}
		if chosen, err = removeEntries(ctx, chosen); err != nil {
			return err
		}
	}
	return printCleared(a.out(), f, chosen)
}

// stale are the entries last used before a time, and what killed runs left,
// with their size in bytes.
func stale(kinds []cacheKind, before time.Time) (chosen []cache.Stored, size int64, err error) {
	for _, kind := range kinds {
		entries, err := cache.List(kind.name)
		if err != nil {
			return nil, 0, err
		}
		for _, e := range entries {
			if !e.Used.After(before) {
				chosen = append(chosen, e)
				size += e.Size
			}
		}
	}
	return chosen, size, nil
}

// removeEntries returns those that it removed.
func removeEntries(ctx context.Context, entries []cache.Stored) (removed []cache.Stored, err error) {
	for _, e := range entries {
		if err := context.Cause(ctx); err != nil {
			return removed, err
		}
		done, err := e.Remove()
		if err != nil {
			return removed, err
		}
		if !done {
			progress.From(ctx).Step("%s is in use and is kept", e.Name())
			continue
		}
		removed = append(removed, e)
	}
	return removed, nil
}

func printCleared(w io.Writer, f cacheClearFlags, entries []cache.Stored) error {
	rows := []clearedRow{}
	var size int64
	for _, e := range entries {
		rows = append(rows, clearedRow{e.Name(), e.Size, e.Used})
		size += e.Size
	}
	return f.output.print(w, rows, func(w io.Writer) error {
		verb := "removed"
		if f.dryRun {
			verb = "would remove"
			for _, r := range rows {
				fmt.Fprintln(w, strings.Join([]string{r.Entry, byteSize(r.Size)}, "  "))
			}
		}
		_, err := fmt.Fprintf(w, "%s %d entries, %s\n", verb, len(rows), byteSize(size))
		return err
	})
}
