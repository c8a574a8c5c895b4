package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/docs"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// docsFormat is what "docs" makes of a package's values.
type docsFormat string

const (
	docsText       docsFormat = "text"
	docsYAML       docsFormat = "yaml"
	docsJSONSchema docsFormat = "json-schema"
	docsMarkdown   docsFormat = "markdown"
)

func newDocs(a *app) *cobra.Command {
	var format docsFormat
	cmd := &cobra.Command{
		Use:   "docs PACKAGE[@VERSION] [PATH]",
		Short: "Describe the values of a package",
		Long: `Docs describes the values of a package: the description, type, default and allowed
values of each. Without a VERSION, it uses the newest one. With a PATH, such as
operator.log, it prints only the values at and below it.

  text         a table
  yaml         a file to edit and to pass as --values-file: all values with their
               defaults, with descriptions and examples as comments
  json-schema  a JSON Schema (draft 2020-12), with which editors complete and check
               values files; rules that a schema cannot express are in descriptions
  markdown     the page of the package, with a table of all values

The YAML language server reads the schema from the first line of a file:
# yaml-language-server: $schema=keda.schema.json`,
		Example: `  strake docs keda
  strake docs keda operator.log
  strake docs keda@2.21.0 --format yaml > values.yml
  strake docs keda --format json-schema > keda.schema.json`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: a.completeVersion,
		RunE: a.around(func(cmd *cobra.Command, args []string) error {
			path := strings.Join(args[1:], "")
			if path != "" && format == docsMarkdown {
				return usagef("a page describes all values of a package: omit the path %s, or --format %s", path, format)
			}
			c, v, err := a.version(args[0])
			if err != nil {
				return err
			}
			values, err := valuesOf(cmd.Context(), c, v)
			if err != nil {
				return err
			}
			if values, err = docs.Below(values, path); err != nil {
				return fmt.Errorf("%s: %w", v.ID(), err)
			}
			if format == docsText {
				return printValues(a.out(), values, path)
			}
			return printDocs(a.out(), format, c, v, values)
		}),
	}
	enumFlag(cmd, &format, "format", "", "what to print", docsText, docsYAML, docsJSONSchema, docsMarkdown)
	return cmd
}

// valuesOf are the values of a version. No digest is in them, so images may
// be without a lock.
func valuesOf(ctx context.Context, c *catalog.Catalog, v *catalog.Version) (*bundle.Values, error) {
	b, err := repository.BuildVersion(ctx, c, v.StandIn(), repository.Options{})
	if err != nil {
		return nil, err
	}
	return b.Values(ctx)
}

func printDocs(w io.Writer, format docsFormat, c *catalog.Catalog, v *catalog.Version, values *bundle.Values) error {
	var text []byte
	var err error
	switch format {
	case docsJSONSchema:
		text, err = docs.JSONSchema(values, v)
	case docsMarkdown:
		text, err = docs.Page(c, v, values)
	default:
		text, err = docs.YAML(values, v)
	}
	if err != nil {
		return err
	}
	_, err = w.Write(text)
	return err
}

// printValues prints the table of the values at and below a path, without the
// objects that they are in.
func printValues(w io.Writer, values *bundle.Values, path string) error {
	rows, err := docs.Rows(values)
	if err != nil {
		return err
	}
	var lines [][]string
	for _, row := range rows {
		if len(row.Path) < len(path) {
			continue
		}
		about := row.Description
		if row.Allowed != "" {
			about = strings.TrimSpace(about + " Allowed: " + row.Allowed + ".")
		}
		lines = append(lines, []string{row.Path, row.Type, row.Default, about})
	}
	return table(w, []string{"VALUE", "TYPE", "DEFAULT", "DESCRIPTION"}, lines)
}
