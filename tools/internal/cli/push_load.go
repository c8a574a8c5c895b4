package cli

import (
	"context"
	"io"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// load is what one push carries.
type load struct {
	// versions are those whose images are sent.
	versions []*catalog.Version
	// bundles are those of packages, and the repository's as the last one
	// where all is sent.
	bundles []oci.Artifact
}

func (a *app) load(ctx context.Context, args []string) (load, error) {
	c, versions, err := a.selected(args)
	if err != nil {
		return load{}, err
	}
	if len(args) == 0 {
		return loadAll(ctx, c)
	}
	l := load{versions: versions}
	for _, v := range versions {
		b, err := repository.BuildVersion(ctx, c, v, repository.Options{})
		if err != nil {
			return load{}, err
		}
		l.bundles = append(l.bundles, b.Image)
	}
	return l, nil
}

func loadAll(ctx context.Context, c *catalog.Catalog) (load, error) {
	r, err := repository.Build(ctx, c, repository.Options{})
	if err != nil {
		return load{}, err
	}
	var l load
	for _, b := range r.Bundles {
		p, err := c.Package(b.Package)
		if err != nil {
			return load{}, err
		}
		v, err := p.Version(b.Version)
		if err != nil {
			return load{}, err
		}
		l.versions = append(l.versions, v)
		l.bundles = append(l.bundles, b.Image)
	}
	l.bundles = append(l.bundles, r.Image)
	return l, nil
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
