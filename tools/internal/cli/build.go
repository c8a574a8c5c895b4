package cli

import (
	"context"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/repository"
)

type buildFlags struct {
	check  bool
	force  bool
	output outputFlags
}

// builtRepository is what a build made, as it is printed.
type builtRepository struct {
	// Repository is empty where only some packages were built.
	Repository string        `json:"repository,omitempty"`
	Bundles    []builtBundle `json:"bundles"`
}

type builtBundle struct {
	Package   string `json:"package"`
	Version   string `json:"version"`
	Digest    string `json:"digest"`
	Reference string `json:"reference"`
}

func newBuild(a *app) *cobra.Command {
	var flags buildFlags
	cmd := &cobra.Command{
		Use:   "build [PACKAGE[@VERSION]...]",
		Short: "Build the bundles and write repo/packages",
		Long: `Build builds the bundles of all published versions and the repository bundle in
memory, writes repo/packages and repo/bundle.lock.yml, and prints the digests. It
reads the digests of images from images.lock.yml, so it compiles nothing and
contacts no registry.

With arguments, it builds these versions only, published or not, and prints their
digests. It writes nothing then.`,
		Example: `  strake build
  strake build keda@2.21.0 -o json
  strake build --check`,
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			collectLess()
			if len(args) > 0 {
				return buildSome(cmd.Context(), a, flags, args)
			}
			return buildAll(cmd.Context(), a, flags)
		}),
	}
	cmd.Flags().BoolVar(&flags.check, "check", false, "write nothing; list differences from the committed files, and exit with code 3 if there are any")
	cmd.Flags().BoolVar(&flags.force, "force-rewrite", false, "change the digests of versions that are already in repo/packages; use it only for versions that nobody has installed")
	cmd.MarkFlagsMutuallyExclusive("check", "force-rewrite")
	flags.output.add(cmd)
	return cmd
}

// gcPercent lets the heap grow to some 100 MB before garbage is collected: a
// build is over in a fraction of a second, and half of that went there.
const gcPercent = 400

func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

func buildAll(ctx context.Context, a *app, flags buildFlags) error {
	c, err := a.catalog()
	if err != nil {
		return err
	}
	r, err := repository.Build(ctx, c, repository.Options{Rewrite: flags.force})
	if err != nil {
		return err
	}
	if flags.check {
		findings, err := r.Compare(c)
		if err != nil {
			return err
		}
		if err := printDifferences(a.out(), flags.output, findings); err != nil {
			return err
		}
		a.summary("build --check: %s", equal(c, r))
		return nil
	}
	if err := r.Write(ctx, c); err != nil {
		return err
	}
	return printBuilt(a.out(), flags.output, r.Reference(), r.Bundles)
}

func buildSome(ctx context.Context, a *app, flags buildFlags, args []string) error {
	if flags.check || flags.force {
		return usagef("--check and --force-rewrite apply to the whole repository: omit the packages")
	}
	c, versions, err := a.selected(args)
	if err != nil {
		return err
	}
	var bundles []*bundle.Bundle
	for _, v := range versions {
		b, err := repository.BuildVersion(ctx, c, v, repository.Options{})
		if err != nil {
			return err
		}
		bundles = append(bundles, b)
	}
	return printBuilt(a.out(), flags.output, "", bundles)
}

func printBuilt(w io.Writer, output outputFlags, reference string, bundles []*bundle.Bundle) error {
	built := builtRepository{Repository: reference, Bundles: []builtBundle{}}
	for _, b := range bundles {
		built.Bundles = append(built.Bundles, builtBundle{Package: b.Package, Version: b.Version, Digest: b.Digest, Reference: b.Reference()})
	}
	return output.print(w, built, func(w io.Writer) error {
		var rows [][]string
		for _, b := range built.Bundles {
			rows = append(rows, []string{b.Package, b.Version, b.Reference})
		}
		if reference != "" {
			rows = append(rows, []string{"(repository)", "", reference})
		}
		return table(w, []string{"PACKAGE", "VERSION", "BUNDLE"}, rows)
	})
}
