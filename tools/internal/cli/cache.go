package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/apivalidate"
	"github.com/strake-dev/strake/tools/internal/cache"
	"github.com/strake-dev/strake/tools/internal/devcluster/nodeimage"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/gotool"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/repository"
	"github.com/strake-dev/strake/tools/internal/upstream"
)

// cacheKind is a kind of entries that can be made again.
type cacheKind struct {
	name string
	// what is in the entries, and how they are made again.
	what string
	// unsealed checks an entry of a release that recorded no checksums.
	unsealed func(dir string) error
}

func cacheKinds() []cacheKind {
	return []cacheKind{
		{name: upstream.CacheKind, what: "sources of packages; fetched again"},
		{name: repository.ManifestsKind, what: "rendered upstream manifests; rendered again"},
		{name: repository.BundlesKind, what: "package bundles; built again"},
		{name: repository.RenderedKind, what: "bundles rendered with values; rendered again"},
		{name: image.CacheKind, what: "images; compiled again, which takes minutes each", unsealed: image.Check},
		{name: nodeimage.ProgramsCache, what: "programs of the node image; compiled again"},
		{name: nodeimage.SystemCache, what: "Debian system of the node image; installed again"},
		{name: nodeimage.ScratchCache, what: "temporary files of a node image"},
		{name: apivalidate.Cache, what: "validation of the API server; compiled again, which takes minutes"},
		{name: gocache.Kind, what: "compiled packages, while images are not all made"},
	}
}

func newCache(a *app) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "Show, verify and clear the cache",
		Long: `Cache shows what strake keeps between runs: for each kind of entry the number, the
size and the last use. Strake can make all of these again. "other" is the state of
local clusters and the content of "registry serve", which "cache clear" keeps.

The kind "go-build" is the output of the compiler. It is removed as soon as all images
of a command are built. After a failure, up to 10 GB are kept, so that the next run
does not compile them again. Strake also reads Go's own build cache, but does not fill
it, unless GOCACHEPROG is set.

It also shows the caches of the go command, which compiles the images. Other Go
programs share these caches, and only the go command clears them. Images require up to
20 GB of modules.

The cache is in $STRAKE_CACHE, or in the folder "strake" of the user's cache folder.`,
		Example: `  strake cache
  strake cache -o json
  strake cache clear rendered bundles
  strake cache verify --repair`,
		Args: cobra.ArbitraryArgs,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return subcommandRequired(cmd, args)
			}
			return showCache(cmd.Context(), a, output)
		}),
	}
	output.add(cmd)
	cmd.AddCommand(newCacheClear(a), newCacheVerify(a))
	return cmd
}

// cacheRow is what the cache holds of one kind.
type cacheRow struct {
	Kind string `json:"kind"`
	What string `json:"what"`
	// Entries counts those that can be used, not what killed runs left.
	Entries int        `json:"entries"`
	Size    int64      `json:"size"`
	Used    *time.Time `json:"lastUsed,omitempty"`
}

// goCacheRow is a folder of the go command.
type goCacheRow struct {
	Name  string `json:"name"`
	Dir   string `json:"dir"`
	Size  int64  `json:"size"`
	Clear string `json:"clear"`
}

type cacheReport struct {
	Dir   string       `json:"dir"`
	Size  int64        `json:"size"`
	Kinds []cacheRow   `json:"kinds"`
	Go    []goCacheRow `json:"go"`
}

func showCache(ctx context.Context, a *app, output outputFlags) error {
	dir, err := cache.Dir()
	if err != nil {
		return err
	}
	report := cacheReport{Dir: dir, Kinds: []cacheRow{}, Go: goCaches(ctx)}
	for _, kind := range cacheKinds() {
		entries, err := cache.List(kind.name)
		if err != nil {
			return err
		}
		if len(entries) > 0 {
			report.Kinds = append(report.Kinds, summarize(kind, entries))
		}
	}
	report.Size = cache.Size(dir)
	return output.print(a.out(), report, func(w io.Writer) error { return printCache(w, report) })
}

func summarize(kind cacheKind, entries []cache.Stored) cacheRow {
	row := cacheRow{Kind: kind.name, What: kind.what}
	for _, e := range entries {
		row.Size += e.Size
		if !e.Entry {
			continue
		}
		row.Entries++
		if row.Used == nil || e.Used.After(*row.Used) {
			row.Used = &e.Used
		}
	}
	return row
}

// goCaches measures the go command's caches. Without a go command there is
// nothing to say about them.
func goCaches(ctx context.Context) []goCacheRow {
	rows := []goCacheRow{}
	found, err := gotool.FindCaches(ctx)
	if err != nil {
		progress.From(ctx).Step("the caches of Go are not listed: %s", err)
		return rows
	}
	progress.From(ctx).Step("measuring the caches of Go")
	return append(rows,
		goCacheRow{Name: "GOCACHE", Dir: found.Build, Size: cache.Size(found.Build), Clear: "go clean -cache"},
		goCacheRow{Name: "GOMODCACHE", Dir: found.Modules, Size: cache.Size(found.Modules), Clear: "go clean -modcache"})
}

func printCache(w io.Writer, report cacheReport) error {
	fmt.Fprintf(w, "%s: %s\n", report.Dir, byteSize(report.Size))
	var rows [][]string
	other := report.Size
	for _, r := range report.Kinds {
		used := "-"
		if r.Used != nil {
			used = humanize.Time(*r.Used)
		}
		rows = append(rows, []string{r.Kind, strconv.Itoa(r.Entries), byteSize(r.Size), used, r.What})
		other -= r.Size
	}
	if other > 0 {
		rows = append(rows, []string{"other", "-", byteSize(other), "-", "clusters and registry content; never cleared"})
	}
	if err := table(w, []string{"KIND", "ENTRIES", "SIZE", "LAST USED", "CONTENT"}, rows); err != nil || len(report.Go) == 0 {
		return err
	}
	fmt.Fprintln(w, "\nCaches of the go command, not cleared by strake:")
	rows = nil
	for _, r := range report.Go {
		rows = append(rows, []string{r.Name, byteSize(r.Size), r.Dir, r.Clear})
	}
	return table(w, []string{"NAME", "SIZE", "FOLDER", "CLEARED BY"}, rows)
}

func byteSize(size int64) string { return humanize.Bytes(uint64(max(size, 0))) }

// chosenKinds are the kinds that args name, all without args.
func chosenKinds(args []string) ([]cacheKind, error) {
	kinds := cacheKinds()
	if len(args) == 0 {
		return kinds, nil
	}
	var chosen []cacheKind
	for _, arg := range args {
		i := slices.IndexFunc(kinds, func(k cacheKind) bool { return k.name == arg })
		if i < 0 {
			return nil, usagef("the cache has no kind %q; known: %s", arg, strings.Join(kindNames(), ", "))
		}
		if !slices.ContainsFunc(chosen, func(k cacheKind) bool { return k.name == arg }) {
			chosen = append(chosen, kinds[i])
		}
	}
	return chosen, nil
}

func kindNames() []string {
	var names []string
	for _, k := range cacheKinds() {
		names = append(names, k.name)
	}
	return names
}

func completeKinds(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var offers []cobra.Completion
	for _, k := range cacheKinds() {
		offers = append(offers, cobra.CompletionWithDesc(k.name, k.what))
	}
	return without(offers, args), cobra.ShellCompDirectiveNoFileComp
}
