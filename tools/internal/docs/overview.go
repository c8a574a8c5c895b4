package docs

import (
	"fmt"
	"path"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// The lines of a page between which [Overview] stands.
const (
	overviewBegin = "<!-- packages: made by `make generate` -->"
	overviewEnd   = "<!-- packages: end -->"
)

// Overview fills in, in the text of a page at the checkout's root, the table of
// published packages, and lists what else is in the tree.
func Overview(c *catalog.Catalog, page string) ([]byte, error) {
	before, rest, begins := strings.Cut(page, overviewBegin+"\n")
	_, after, ends := strings.Cut(rest, overviewEnd+"\n")
	if !begins || !ends {
		return nil, fmt.Errorf("no lines %q and, further down, %q; the table of packages goes between them", overviewBegin, overviewEnd)
	}
	var cells [][]string
	for _, p := range c.Packages {
		published := chosen(p, c.Published)
		if len(published) == 0 {
			continue
		}
		cells = append(cells, []string{link(p), strings.Join(published, ", "), plain(oneLine(p.Metadata.ShortDescription))})
	}
	text := "\n" + grid([]string{"package", "versions", "description"}, cells) +
		others(c, "Not published, because their images are not locked yet", func(v *catalog.Version) bool { return v.Images == nil }) +
		others(c, "For the project's own use", func(v *catalog.Version) bool { return v.Images != nil && !c.Published(v) })
	return []byte(before + overviewBegin + "\n" + text + "\n" + overviewEnd + "\n" + after), nil
}

// others is a sentence about some of the versions, or nothing.
func others(c *catalog.Catalog, head string, which func(*catalog.Version) bool) string {
	var list []string
	for _, p := range c.Packages {
		if versions := chosen(p, which); len(versions) > 0 {
			list = append(list, link(p)+" "+strings.Join(versions, ", "))
		}
	}
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf("\n%s: %s.\n", head, strings.Join(list, "; "))
}

func chosen(p *catalog.Package, which func(*catalog.Version) bool) []string {
	var list []string
	for _, v := range p.Versions {
		if which(v) {
			list = append(list, v.Version)
		}
	}
	return list
}

func link(p *catalog.Package) string {
	return fmt.Sprintf("[`%s`](%s)", p.Name, path.Join("packages", p.Name, ReadmeFile))
}
