package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newReference(a *app) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "reference",
		Short: "Write the reference of all commands as Markdown",
		Long: `Reference writes one Markdown file, strake_COMMAND.md, for each command into a
folder, and removes those of commands that are no more.`,
		Example: "  strake reference --dir docs/cli",
		Hidden:  true,
		Args:    cobra.NoArgs,
		RunE:    a.around(func(cmd *cobra.Command, _ []string) error { return writeReference(cmd.Root(), dir) }),
	}
	cmd.Flags().StringVar(&dir, "dir", filepath.Join("docs", "cli"), "`folder` to write to")
	return cmd
}

func writeReference(root *cobra.Command, dir string) error {
	stale, err := filepath.Glob(filepath.Join(dir, "strake*.md"))
	if err != nil {
		return fmt.Errorf("looking for the earlier reference: %w", err)
	}
	for _, file := range stale {
		if err := os.Remove(file); err != nil {
			return fmt.Errorf("removing the earlier reference: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder for the reference: %w", err)
	}
	// A date in each file would make every generation a difference.
	root.DisableAutoGenTag = true
	if err := doc.GenMarkdownTree(root, dir); err != nil {
		return fmt.Errorf("writing the reference to %s: %w", dir, err)
	}
	return writeTopics(root, dir)
}

// writeTopics writes the topics of "strake help", which cobra leaves out.
func writeTopics(root *cobra.Command, dir string) error {
	for _, c := range root.Commands() {
		if !c.IsAdditionalHelpTopicCommand() {
			continue
		}
		text := fmt.Sprintf("## strake help %s\n\n%s\n\n```\n%s\n```\n\n### SEE ALSO\n\n* [strake](strake.md)\t - %s\n",
			c.Name(), c.Short, c.Long, root.Short)
		if err := os.WriteFile(filepath.Join(dir, "strake_"+c.Name()+".md"), []byte(text), 0o644); err != nil {
			return fmt.Errorf("writing the reference of a topic: %w", err)
		}
	}
	return nil
}
