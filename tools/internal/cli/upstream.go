package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

func newUpstream(a *app) *cobra.Command {
	return group("upstream", "Show and lock the upstream sources of packages",
		`The sources of a package version are the Go modules in its go.mod, and the sources
that vendir fetches as its vendir.lock.yml pins them.`,
		"  strake upstream show keda@2.21.0\n  strake upstream lock keda",
		newUpstreamShow(a), newUpstreamLock(a))
}

// originRow is one upstream file as it is printed.
type originRow struct {
	// File is the path below the version's sources, as package.yml names it.
	File   string `json:"file"`
	Source string `json:"source"`
	// Path is the file's place within the source.
	Path string `json:"path"`
	Sum  string `json:"sum"`
}

func newUpstreamShow(a *app) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "show PACKAGE[@VERSION] [PATH...]",
		Short: "Show the origin of each upstream file of a version",
		Long: `Show prints the origin of each file of the upstream sources: the source, the path in
it, and the checksum that pins it. With PATH, it prints only files at or below it.
Without a VERSION, it uses the newest one.`,
		Example: `  strake upstream show keda@2.21.0
  strake upstream show keda@2.21.0 upstream/keda/config/crd -o json`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeVersion,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			_, v, err := a.version(args[0])
			if err != nil {
				return err
			}
			sources, err := upstream.Fetch(cmd.Context(), v)
			if err != nil {
				return err
			}
			rows, err := originRows(sources.Origins, args[1:])
			if err != nil {
				return fmt.Errorf("%s: %w", v.ID(), err)
			}
			return printOrigins(a.out(), output, rows)
		}),
	}
	output.add(cmd)
	return cmd
}

func originRows(origins map[string]upstream.Origin, paths []string) ([]originRow, error) {
	rows := []originRow{}
	used := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(origins)) {
		path, wanted := within(file, paths)
		if !wanted {
			continue
		}
		used[path] = true
		o := origins[file]
		rows = append(rows, originRow{File: file, Source: o.Source, Path: o.Path, Sum: o.Sum})
	}
	for _, path := range paths {
		if !used[path] {
			return nil, fmt.Errorf("no upstream file is at or below %q; omit the path to see all files", path)
		}
	}
	return rows, nil
}

// within answers with the first of paths that is file or a folder around it.
// Without paths every file is wanted.
func within(file string, paths []string) (path string, wanted bool) {
	for _, path := range paths {
		folder := strings.TrimSuffix(path, "/")
		if file == folder || strings.HasPrefix(file, folder+"/") {
			return path, true
		}
	}
	return "", len(paths) == 0
}

func printOrigins(w io.Writer, output outputFlags, list []originRow) error {
	return output.print(w, list, func(w io.Writer) error {
		var rows [][]string
		for _, o := range list {
			rows = append(rows, []string{o.File, o.Source, o.Path, o.Sum})
		}
		return table(w, []string{"FILE", "SOURCE", "PATH", "SUM"}, rows)
	})
}

// lockRow is what became of one version's lock.
type lockRow struct {
	Package string `json:"package"`
	Version string `json:"version"`
	// Result is "locked", "unchanged" or "nothing to fetch".
	Result upstream.Outcome `json:"result"`
}

func newUpstreamLock(a *app) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "lock [PACKAGE[@VERSION]...]",
		Short: "Lock the upstream sources that are not Go modules",
		Long: `Lock resolves the sources in vendir.yml that vendir itself fetches (http,
githubRelease, git, helmChart, image, imgpkgBundle), checks that they can be unpacked
safely, and writes vendir.lock.yml. Go modules are locked by go.mod and go.sum.

For each version, it prints "locked" if the lock was written, "unchanged", or
"nothing to fetch". If a version fails, its lock is not changed, and the other
versions are still locked.`,
		Example: `  strake upstream lock keda@2.21.0
  strake upstream lock -o json`,
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			_, versions, err := a.selected(args, catalog.AllowMissingLocks)
			if err != nil {
				return err
			}
			rows, err := lockUpstreams(cmd.Context(), versions)
			return errors.Join(printLocks(a.out(), output, rows), err)
		}),
	}
	output.add(cmd)
	return cmd
}

// lockUpstreams locks each version. Its error joins those of all that failed;
// the result has the others.
func lockUpstreams(ctx context.Context, versions []*catalog.Version) ([]lockRow, error) {
	rows := []lockRow{}
	var errs []error
	for _, v := range versions {
		outcome, err := upstream.Lock(ctx, v)
		switch {
		case ctx.Err() != nil:
			return rows, errors.Join(append(errs, err)...)
		case err != nil:
			errs = append(errs, err)
		default:
			rows = append(rows, lockRow{v.Package.Name, v.Version, outcome})
		}
	}
	return rows, errors.Join(errs...)
}

func printLocks(w io.Writer, output outputFlags, list []lockRow) error {
	return output.print(w, list, func(w io.Writer) error {
		var rows [][]string
		for _, l := range list {
			rows = append(rows, []string{l.Package, l.Version, string(l.Result)})
		}
		return table(w, []string{"PACKAGE", "VERSION", "RESULT"}, rows)
	})
}
