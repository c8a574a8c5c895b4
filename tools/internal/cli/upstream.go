package cli

import (
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
		`The sources of a package version are the Go modules that its go.mod pins, and
what vendir fetches according to its vendir.lock.yml.`,
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
		Short: "Show where every upstream file of a version came from",
		Long: `Show prints for each file of a version's sources, or for those below each PATH,
the source it came from, its place there, and the checksum that pins it.
Without a VERSION the newest one is meant.`,
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
			return nil, fmt.Errorf("no upstream file is at or below %q; leave the path out to see all files", path)
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

func newUpstreamLock(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "lock [PACKAGE[@VERSION]...]",
		Short: "Write vendir.lock.yml of versions that fetch more than Go modules",
		Long: `Lock resolves what vendir.yml fetches by itself (http, githubRelease, git,
helmChart, image, imgpkgBundle) and writes vendir.lock.yml. Go modules are
locked by go.mod and go.sum alone.`,
		Example:           "  strake upstream lock keda@2.21.0",
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			_, versions, err := a.selected(args, catalog.AllowMissingLocks)
			if err != nil {
				return err
			}
			for _, v := range versions {
				if err := upstream.Lock(cmd.Context(), v); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}
