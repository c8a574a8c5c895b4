package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// load is what one push carries.
type load struct {
	catalog *catalog.Catalog
	// versions are those whose images are sent.
	versions []*catalog.Version
	// repository is what was built: all of it, or the versions alone.
	repository *repository.Repository
	// bundles are those of packages, and the repository's as the last one
	// where all is sent.
	bundles []oci.Artifact
}

// load builds what is to be sent and compares it with what is committed.
func (a *app) load(ctx context.Context, args []string) (load, error) {
	c, versions, err := a.selected(args)
	if err != nil {
		return load{}, err
	}
	l := load{catalog: c, versions: versions}
	if len(args) == 0 {
		l.versions = nil
		for _, v := range versions {
			if c.Published(v) {
				l.versions = append(l.versions, v)
			}
		}
		l.repository, err = repository.Build(ctx, c, repository.Options{})
	} else {
		l.repository, err = repository.BuildSome(ctx, c, versions, repository.Options{})
	}
	if err != nil {
		return load{}, err
	}
	if err := refuseDifferences(l.repository, c); err != nil {
		return load{}, err
	}
	l.bundles, err = l.repository.Artifacts(nil)
	return l, err
}

// refuseDifferences keeps what is not committed from being published.
func refuseDifferences(r *repository.Repository, c *catalog.Catalog) error {
	findings, err := r.Compare(c)
	if err != nil || len(findings) == 0 {
		return err
	}
	var lines []string
	for _, f := range findings {
		lines = append(lines, differenceLine(f))
	}
	return fmt.Errorf("%s\nnothing was sent, because the built content differs from the committed content in %s: undo the change, or add a revision of the package, run \"strake build\" and commit the result",
		strings.Join(lines, "\n"), catalog.GeneratedDir)
}

// loadRow is one artifact of a dry run.
type loadRow struct {
	Kind   string   `json:"kind"`
	Name   string   `json:"name"`
	Digest string   `json:"digest"`
	Tags   []string `json:"tags,omitempty"`
}

func printLoad(w io.Writer, f pushFlags, l load) error {
	list := []loadRow{}
	for _, v := range l.versions {
		for _, i := range v.Images.Images {
			if !f.noImages {
				list = append(list, loadRow{Kind: "image", Name: v.ID() + " " + i.Name, Digest: i.Digest})
			}
		}
	}
	for _, b := range l.bundles {
		list = append(list, loadRow{Kind: "bundle", Name: b.Name, Digest: b.Digest, Tags: b.Tags})
	}
	return f.output.print(w, list, func(w io.Writer) error {
		var rows [][]string
		for _, r := range list {
			rows = append(rows, []string{r.Kind, r.Name, r.Digest, strings.Join(r.Tags, ",")})
		}
		return table(w, []string{"KIND", "NAME", "DIGEST", "TAGS"}, rows)
	})
}
