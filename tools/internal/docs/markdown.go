package docs

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
)

// ReadmeFile is the page of a package, in its folder.
const ReadmeFile = "README.md"

// Page returns, as Markdown, the page of a package: how to install one of its
// versions, example values, and what this version requires and contains.
func Page(c *catalog.Catalog, v *catalog.Version, values *bundle.Values) ([]byte, error) {
	rows, err := Rows(values)
	if err != nil {
		return nil, err
	}
	p := v.Package
	var text bytes.Buffer
	fmt.Fprintf(&text, "# %s\n\n%s\n", p.Metadata.DisplayName, madeBy("package.yml, version.yml, config/ and examples/values.yml"))
	fmt.Fprintf(&text, "\n`%s`: %s Its source is <%s>.\n",
		c.Repository.FullName(p.Name), p.Metadata.ShortDescription, p.Metadata.Source)
	text.WriteString("\n## Install\n\n" + install(c, v))
	if p.ExampleValues != "" {
		fmt.Fprintf(&text, "\n## Example values\n\n```yaml\n%s\n```\n", strings.TrimSpace(p.ExampleValues))
	}
	fmt.Fprintf(&text, "\n## Description\n\n%s\n", strings.TrimSpace(p.Metadata.LongDescription))
	if p.Proof != "" {
		fmt.Fprintf(&text, "\nTested on a cluster before a version is published: %s.\n", p.Proof)
	}
	text.WriteString("\n## Versions\n\n" + versions(c, p))
	fmt.Fprintf(&text, "\n## Requirements of %s\n\n%s", v.Version, requirements(v))
	if len(v.Includes) > 0 {
		fmt.Fprintf(&text, "\n## Contents\n\n%s", includes(v))
	}
	if rows := profiles(v); len(rows) > 0 {
		fmt.Fprintf(&text, "\n## Permissions of %s\n\n%s\n\n%s", v.Version, profilesHead(v), grid([]string{"profile", "granted if", "reason"}, rows))
	}
	fmt.Fprintf(&text, "\n## Values\n\n%s\n\n%s", valuesHead(v), grid(
		[]string{"value", "type", "default", "allowed", "description"}, valueCells(rows, installed(v))))
	return text.Bytes(), nil
}

// Shown is the version that a package's page is about: the newest that is
// published, or the newest of all.
func Shown(c *catalog.Catalog, p *catalog.Package) *catalog.Version {
	for _, v := range slices.Backward(p.Versions) {
		if c.Published(v) {
			return v
		}
	}
	return p.Versions[len(p.Versions)-1]
}

func madeBy(sources string) string {
	return fmt.Sprintf("<!-- Made by `make generate` from %s; change those. -->", sources)
}

func versions(c *catalog.Catalog, p *catalog.Package) string {
	var cells [][]string
	for _, v := range slices.Backward(p.Versions) {
		published := "no"
		if c.Published(v) {
			published = "yes"
		}
		cells = append(cells, []string{
			v.Version, v.ReleasedAt.UTC().Format(time.DateOnly), code(v.Kubernetes), codeOrNothing(v.UpgradesFrom),
			plain(strings.Join(v.Licenses, ", ")), published,
		})
	}
	return grid([]string{"version", "released", "Kubernetes", "upgrades from", "licences", "published"}, cells)
}

// requirements lists a version's capacity and the packages that it requires.
func requirements(v *catalog.Version) string {
	var text strings.Builder
	if v.Capacity != "" {
		text.WriteString(strings.TrimSpace(v.Capacity) + "\n")
	}
	if len(v.Requires) == 0 {
		if v.Capacity != "" {
			text.WriteString("\n")
		}
		text.WriteString("It requires no other package.\n")
		return text.String()
	}
	var cells [][]string
	for _, r := range v.Requires {
		when := "yes"
		if r.Optional {
			when = "depends on values"
		}
		if r.When != "" {
			when = "if " + code(r.When)
		}
		cells = append(cells, []string{pageOf(r.Package), code(r.Constraint), when, plain(oneLine(r.Reason))})
	}
	return text.String() + "\n" + grid([]string{"package", "versions", "required", "reason"}, cells)
}

func includes(v *catalog.Version) string {
	var cells [][]string
	for _, s := range v.Includes {
		cells = append(cells, []string{plain(s.Name), s.Version, plain(oneLine(s.Description))})
	}
	return grid([]string{"software", "version", "description"}, cells)
}

// profiles are the permission profiles that an account can have beside base.
func profiles(v *catalog.Version) [][]string {
	var cells [][]string
	for _, p := range v.Profiles() {
		when := "always"
		if p.When != "" {
			when = code(p.When)
		}
		if p.Name != catalog.BaseProfile {
			cells = append(cells, []string{p.Name, when, plain(oneLine(p.Reason))})
		}
	}
	return cells
}

func profilesHead(v *catalog.Version) string {
	return fmt.Sprintf("The account that installs the package has the permissions of the profile base, which do not escalate, and of the profiles\n"+
		"below whose condition the values meet. `strake rbac %s --profiles` shows what each of them allows.", v.Package.Name)
}

func valuesHead(v *catalog.Version) string {
	id := v.Package.Name + "@" + v.Version
	return fmt.Sprintf("These are the values of %s. `strake docs %s --format yaml` prints them as a file to edit, with an\n"+
		"example of each. `--format json-schema` prints a JSON Schema, which editors use to complete and validate the file.", v.Version, id)
}

// installed are the ends of the paths at which a package has the values of
// those that it installs, each with the name of the package whose page has them.
func installed(v *catalog.Version) map[string]string {
	ends := map[string]string{}
	for _, other := range v.Installed() {
		ends["."+other.Package.Name+".values"] = other.Package.Name
	}
	return ends
}

// valueCells leave the values of other packages to their own pages.
func valueCells(rows []Row, elsewhere map[string]string) [][]string {
	var cells [][]string
	skip := ""
	for _, row := range rows {
		if skip != "" && strings.HasPrefix(row.Path, skip) {
			continue
		}
		skip = ""
		about := plain(row.Description)
		for end, name := range elsewhere {
			if strings.HasSuffix(row.Path, end) {
				skip = row.Path + "."
				about = strings.TrimSpace(about + " See " + pageOf(name) + ".")
			}
		}
		cells = append(cells, []string{code(row.Path), row.Type, codeOrNothing(row.Default), plain(row.Allowed), about})
	}
	return cells
}

// pageOf is a link from one package's page to another's.
func pageOf(name string) string {
	return fmt.Sprintf("[%s](%s)", name, path.Join("..", name, ReadmeFile))
}

// grid is a table of cells that are Markdown already.
func grid(head []string, rows [][]string) string {
	var text strings.Builder
	line := func(cells []string) { fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	line(slices.Repeat([]string{"---"}, len(head)))
	for _, row := range rows {
		line(row)
	}
	return text.String()
}

// plain keeps text from being read as Markdown.
func plain(text string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "*", `\*`, "<", "&lt;", "`", "\\`", "[", `\[`).Replace(text)
}

// code is a span of code in a cell, where even there a "|" would end the cell.
func code(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		text = " " + text + " "
	}
	return fence + strings.ReplaceAll(text, "|", `\|`) + fence
}

func codeOrNothing(text string) string {
	if text == "" {
		return ""
	}
	return code(text)
}
