package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gocache"
	"github.com/strake-dev/strake/tools/internal/image"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

type pushFlags struct {
	to       string
	images   imageFlags
	noImages bool
	dryRun   bool
	verify   bool
	output   outputFlags
}

func newPush(a *app) *cobra.Command {
	var flags pushFlags
	cmd := &cobra.Command{
		Use:   "push [PACKAGE[@VERSION]...] --to HOST/REPOSITORY",
		Short: "Send bundles and images to a registry",
		Long: `Push sends images, package bundles and the repository bundle to one repository of an
OCI registry, tags last. It skips what the registry already has, so the same command
continues an interrupted push.
If the registry has content of a wrong size, it sends this content again.

` + imagesFromHelp + `

Push sends committed content only. If a bundle differs from repo/packages, it fails,
as "build --check" does. It never changes a tag that names other content. To publish a
change, add a revision of the package and raise the version in repo/repository.yml, or
push to another repository.

With --verify, it then reads everything back, verifies the digests, and sends damaged
content again. It exits with code 3 if content is still damaged, and lists it. Some registries keep
what they have under a digest: delete it there, or push to another repository.

With arguments, it sends these versions only, without the repository bundle.

Credentials come from IMGPKG_REGISTRY_HOSTNAME, _USERNAME and _PASSWORD, or from the
Docker configuration.`,
		Example: `  strake push --to registry.example.com/platform
  strake push --to registry.example.com/platform --dry-run
  strake push --to registry.example.com/platform --verify
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
	referenceFlag(cmd, &f.to, "to", "`HOST/REPOSITORY` to push to", oci.CheckRepository)
	flags.BoolVar(&f.noImages, "no-images", false, "send bundles only")
	flags.BoolVar(&f.dryRun, "dry-run", false, "list what would be sent; build no image and contact no registry")
	flags.BoolVar(&f.verify, "verify", false, "read everything back, and send damaged content again")
	f.images.addSource(cmd)
	f.images.mirrors.add(cmd)
	f.output.add(cmd)
	if err := cmd.MarkFlagRequired("to"); err != nil {
		panic(err) // only for a flag that does not exist
	}
	cmd.MarkFlagsMutuallyExclusive("no-images", "images")
	cmd.MarkFlagsMutuallyExclusive("no-images", "images-from")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "verify")
}

func push(ctx context.Context, a *app, f pushFlags, l load) error {
	remote, err := oci.Open(ctx, f.to, f.images.registry.options())
	if err != nil {
		return err
	}
	artifacts, err := f.artifacts(ctx, l)
	if err != nil {
		return err
	}
	report, err := remote.Push(ctx, artifacts, oci.PushOptions{})
	if err != nil {
		return withTagRemedy(err, l)
	}
	progress.From(ctx).Step("pushed to %s", f.to)
	result := pushed{To: f.to, Bundles: []string{}, PushReport: report}
	for _, b := range l.bundles {
		result.Bundles = append(result.Bundles, f.to+"@"+b.Digest)
	}
	if f.verify {
		verified, err := remote.Verify(ctx, artifacts, oci.PushOptions{})
		if err != nil {
			return withTagRemedy(err, l)
		}
		result.Verified = &verified
	}
	return printPush(a.out(), f, result)
}

// artifacts are the bundles, with the images of their versions unless they are
// left out.
func (f *pushFlags) artifacts(ctx context.Context, l load) ([]oci.Artifact, error) {
	if f.noImages {
		return l.bundles, nil
	}
	ctx, err := f.images.working(ctx, l.catalog, l.versions)
	if err != nil {
		return nil, err
	}
	var images []oci.Artifact
	for _, v := range l.versions {
		made, err := image.Build(ctx, v, f.images.options(v))
		if err != nil {
			return nil, err
		}
		images = append(images, made...)
	}
	gocache.Clear(ctx)
	return l.repository.Artifacts(images, l.versions...)
}

// withTagRemedy says how content gets a tag that is free.
func withTagRemedy(err error, l load) error {
	taken := (*oci.TagsTakenError)(nil)
	if !errors.As(err, &taken) {
		return err
	}
	var remedies []string
	for _, t := range taken.Tags {
		remedy := "publish the change as a new revision of the package"
		if t.Name == l.repository.Image.Name {
			remedy = "raise version in " + catalog.RepositoryFile
		}
		if !slices.Contains(remedies, remedy) {
			remedies = append(remedies, remedy)
		}
	}
	return fmt.Errorf("%w: %s, or push to another repository", err, strings.Join(remedies, ", and "))
}

// pushed is a finished push as it is printed.
type pushed struct {
	To string `json:"to"`
	// Bundles are by digest; the repository bundle is the last one where all
	// was sent.
	Bundles []string `json:"bundles"`
	oci.PushReport
	Verified *oci.VerifyReport `json:"verified,omitempty"`
}

func printPush(w io.Writer, f pushFlags, result pushed) error {
	err := f.output.print(w, result, func(w io.Writer) error {
		for _, reference := range result.Bundles {
			fmt.Fprintln(w, reference)
		}
		_, err := fmt.Fprintf(w, "sent %s; %s were there\n", tally(result.Uploaded), tally(result.Skipped))
		if result.Verified != nil {
			printVerified(w, *result.Verified)
		}
		return err
	})
	if err != nil || result.Verified == nil {
		return err
	}
	left := 0
	for _, d := range result.Verified.Damaged {
		if !d.Repaired {
			left++
		}
	}
	if left > 0 {
		return findingsf("%d parts of %s are damaged and could not be repaired", left, result.To)
	}
	return nil
}

func printVerified(w io.Writer, report oci.VerifyReport) {
	for _, d := range report.Damaged {
		state := "damaged"
		if d.Repaired {
			state = "repaired"
		}
		fmt.Fprintf(w, "%s %s %s: %s\n", state, d.Kind, d.Reference, d.What)
	}
	fmt.Fprintf(w, "verified %s\n", tally(report.Checked))
}

func tally(t oci.Tally) string {
	return fmt.Sprintf("%d blobs (%s) and %d manifests", t.Blobs, humanize.Bytes(uint64(t.Bytes)), t.Manifests)
}
