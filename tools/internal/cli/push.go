package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

type pushFlags struct {
	to       string
	images   imageFlags
	noImages bool
	dryRun   bool
	output   outputFlags
}

func newPush(a *app) *cobra.Command {
	var flags pushFlags
	cmd := &cobra.Command{
		Use:   "push [PACKAGE[@VERSION]...] --to HOST/REPOSITORY",
		Short: "Send bundles and images to a registry",
		Long: `Push sends images, package bundles and the repository bundle to one repository of
an OCI registry, tags last. What is there already is not sent again, so a push
that was interrupted is continued by the same command. Images come from the
cache, or are built.

With arguments it sends those versions alone, without the repository bundle.

Credentials come from the usual keychain: IMGPKG_REGISTRY_HOSTNAME, _USERNAME
and _PASSWORD, then Docker's configuration.`,
		Example: `  strake push --to registry.example.com/platform
  strake push --to registry.example.com/platform --dry-run
  strake push keda@2.21.0 --to localhost:5000/platform --no-images`,
		ValidArgsFunction: a.completeVersions,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			load, err := a.load(cmd.Context(), args)
			if err != nil {
				return err
			}
			if flags.dryRun {
				return printLoad(a.out(), flags, load)
			}
			return push(cmd.Context(), a, flags, load)
		}),
	}
	flags.add(cmd)
	return cmd
}

func (f *pushFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "`HOST/REPOSITORY` that everything is sent to")
	flags.BoolVar(&f.noImages, "no-images", false, "send bundles alone")
	flags.BoolVar(&f.dryRun, "dry-run", false, "list what would be sent; build no image and ask no registry")
	f.images.addSource(cmd)
	f.output.add(cmd)
	if err := cmd.MarkFlagRequired("to"); err != nil {
		panic(err) // only for a flag that does not exist
	}
	cmd.MarkFlagsMutuallyExclusive("no-images", "images")
	mustComplete(cmd, "to", cobra.NoFileCompletions)
}

func push(ctx context.Context, a *app, f pushFlags, l load) error {
	remote, err := oci.Open(ctx, f.to, f.images.registry.options())
	if err != nil {
		return err
	}
	var artifacts []oci.Artifact
	for _, v := range l.versions {
		if f.noImages {
			break
		}
		images, err := image.Build(ctx, v, f.images.options(v))
		if err != nil {
			return err
		}
		artifacts = append(artifacts, images...)
	}
	artifacts = append(artifacts, l.bundles...)
	report, err := remote.Push(ctx, artifacts, oci.PushOptions{})
	if err != nil {
		return err
	}
	progress.From(ctx).Step("pushed to %s", f.to)
	return printPush(a.out(), f, l, report)
}

// pushed is a finished push as it is printed.
type pushed struct {
	To string `json:"to"`
	// Bundles are by digest; the repository bundle is the last one where all
	// was sent.
	Bundles []string `json:"bundles"`
	oci.PushReport
}

func printPush(w io.Writer, f pushFlags, l load, report oci.PushReport) error {
	result := pushed{To: f.to, Bundles: []string{}, PushReport: report}
	for _, b := range l.bundles {
		result.Bundles = append(result.Bundles, f.to+"@"+b.Digest)
	}
	return f.output.print(w, result, func(w io.Writer) error {
		for _, reference := range result.Bundles {
			fmt.Fprintln(w, reference)
		}
		_, err := fmt.Fprintf(w, "sent %s; %s were there\n", tally(report.Uploaded), tally(report.Skipped))
		return err
	})
}

func tally(t oci.Tally) string {
	return fmt.Sprintf("%d blobs (%s) and %d manifests", t.Blobs, humanize.Bytes(uint64(t.Bytes)), t.Manifests)
}
