package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/progress"
)

func newCacheVerify(a *app) *cobra.Command {
	var repair bool
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "verify [KIND...]",
		Short: "Read the cache and report damaged entries",
		Long: `Verify reads every file of the cache, or of the named kinds, and compares it with
the recorded size and checksum. It lists damaged entries on stdout and exits with
code 3 if there are any.

Every command verifies the entries that it reads, and makes damaged ones again. Run
verify to detect a failing disk early.

--repair removes damaged entries.`,
		Example: `  strake cache verify
  strake cache verify images --repair`,
		ValidArgsFunction: completeKinds,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			return verifyCache(cmd.Context(), a, repair, output, args)
		}),
	}
	cmd.Flags().BoolVar(&repair, "repair", false, "remove damaged entries")
	output.add(cmd)
	return cmd
}

// damagedRow is one entry that cannot be used.
type damagedRow struct {
	Entry    string `json:"entry"`
	What     string `json:"what"`
	Repaired bool   `json:"repaired"`
}

func verifyCache(ctx context.Context, a *app, repair bool, output outputFlags, args []string) error {
	kinds, err := chosenKinds(args)
	if err != nil {
		return err
	}
	rows, left, count := []damagedRow{}, 0, 0
	for _, kind := range kinds {
		progress.From(ctx).Step("reading the entries of %s", kind.name)
		entries, err := cache.List(kind.name)
		if err != nil {
			return err
		}
		count += len(entries)
		damaged, err := verifyEntries(ctx, kind, entries, repair)
		if err != nil {
			return err
		}
		rows = append(rows, damaged...)
	}
	for _, r := range rows {
		if !r.Repaired {
			left++
		}
	}
	if err := output.print(a.out(), rows, func(w io.Writer) error { return printDamaged(w, count, rows) }); err != nil {
		return err
	}
	if left > 0 {
		return findingsf("%d of %d entries are damaged; remove them with \"strake cache verify --repair\"", left, count)
	}
	return nil
}

func verifyEntries(ctx context.Context, kind cacheKind, entries []cache.Stored, repair bool) (rows []damagedRow, err error) {
	for _, e := range entries {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		damage := e.Verify(kind.unsealed)
		if damage == nil {
			continue
		}
		row := damagedRow{Entry: e.Name(), What: damage.Error()}
		if repair {
			if row.Repaired, err = e.Remove(); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func printDamaged(w io.Writer, count int, rows []damagedRow) error {
	for _, r := range rows {
		verb := ""
		if r.Repaired {
			verb = " (removed)"
		}
		fmt.Fprintf(w, "%s: %s%s\n", r.Entry, r.What, verb)
	}
	_, err := fmt.Fprintf(w, "read %d entries, %d damaged\n", count, len(rows))
	return err
}
