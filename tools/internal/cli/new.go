package cli

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/scaffold"
)

type newFlags struct {
	module, chart string
	options       scaffold.Options
	kind          catalog.ManifestKind
	dryRun        bool
	output        outputFlags
}

// newResult is what was written, or would be, and what comes next.
type newResult struct {
	Files []string `json:"files"`
	Next  []string `json:"next"`
}

func newNew(a *app) *cobra.Command {
	var flags newFlags
	cmd := &cobra.Command{
		Use:   "new PACKAGE",
		Short: "Create the files of a new package",
		Long: `New creates packages/PACKAGE with the files of a package: its metadata, the upstream
sources, the schema of the values, a render case and a first version. The files are
valid as they are. Edit the parts that are marked TODO. New prints the next commands
to run.

The manifests come from a Go module (--module) or from a Helm chart (--chart). Without
either, the package has only its own objects.`,
		Example: `  strake new keda --module github.com/kedacore/keda/v2@v2.21.0 --kind kustomize --path config/default
  strake new podinfo --chart podinfo@6.9.0 --chart-repository https://stefanprodan.github.io/podinfo --sha256 SUM
  strake new dashboards --dry-run`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(_ *cobra.Command, args []string) error {
			return newPackage(a, flags, args[0])
		}),
	}
	f, o := cmd.Flags(), &flags.options
	f.StringVar(&flags.module, "module", "", "Go module with the manifests, as `PATH@VERSION`")
	f.StringVar(&o.Path, "path", "config", "`folder` in the module with the manifests")
	f.StringVar(&flags.chart, "chart", "", "Helm chart, as `NAME@VERSION`")
	f.StringVar(&o.Repository, "chart-repository", "", "`URL` of the chart's repository")
	f.StringVar(&o.SHA256, "sha256", "", "`sum` of the chart's archive, in hexadecimal digits")
	f.StringVar(&o.Version, "version", "", "first `version` of the package (default: that of the module or chart, or 0.1.0)")
	enumFlag(cmd, &flags.kind, "kind", "", "what the module's manifests are", catalog.Plain, catalog.Kustomize, catalog.Helm, catalog.Ytt)
	f.BoolVar(&flags.dryRun, "dry-run", false, "list the files and write nothing")
	flags.output.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("module", "chart")
	cmd.MarkFlagsRequiredTogether("chart", "chart-repository", "sha256")
	for _, flag := range []string{"module", "path", "chart", "chart-repository", "sha256", "version"} {
		mustComplete(cmd, flag, cobra.NoFileCompletions)
	}
	return cmd
}

func newPackage(a *app, f newFlags, name string) error {
	o, err := f.scaffold(name)
	if err != nil {
		return usageError{err}
	}
	files, err := scaffold.Files(o)
	if err != nil {
		return usageError{err}
	}
	root, err := a.root()
	if err != nil {
		return err
	}
	dir := filepath.Join(root, "packages", name)
	if _, err := os.Lstat(dir); err == nil {
		return usagef("%s exists; choose another name, or add a version to that package", path.Join("packages", name))
	}
	if !f.dryRun {
		if err := scaffold.Write(dir, files); err != nil {
			return err
		}
	}
	result := newResult{Next: scaffold.Next(o)}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		result.Files = append(result.Files, path.Join("packages", name, file))
	}
	return f.output.print(a.out(), result, func(w io.Writer) error { return printNew(w, result) })
}

// scaffold are the options that the flags come to.
func (f newFlags) scaffold(name string) (o scaffold.Options, err error) {
	o = f.options
	o.Name, o.Released = name, time.Now().UTC().Truncate(24*time.Hour)
	upstream := ""
	switch {
	case f.module != "":
		o.Kind = f.kind
		o.Module, o.ModuleVersion, err = scaffold.Split(f.module)
		upstream = strings.TrimPrefix(o.ModuleVersion, "v")
	case f.chart != "":
		o.Kind, o.Path = catalog.Helm, ""
		o.Chart, o.ChartVersion, err = scaffold.Split(f.chart)
		upstream = strings.TrimPrefix(o.ChartVersion, "v")
	}
	o.Version = cmp.Or(o.Version, upstream, "0.1.0")
	return o, err
}

func printNew(w io.Writer, result newResult) error {
	for _, file := range result.Files {
		fmt.Fprintln(w, file)
	}
	_, err := fmt.Fprintf(w, "\nWrite what is marked TODO, then type:\n\n  %s\n", strings.Join(result.Next, "\n  "))
	return err
}
