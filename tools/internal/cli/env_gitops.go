package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/gitops"
)

// gitopsFlags say what folder is written for Flux; without the first there is
// none.
type gitopsFlags struct {
	dir     string
	force   bool
	options gitops.Options
}

// gitopsOnly are the flags that mean nothing without --gitops.
func gitopsOnly() []string {
	return []string{"from", "exact-rights", "values-secret", "source", "path", "flux-namespace", "service-account", "depends-on", "sops-secret", "force"}
}

func (f *gitopsFlags) add(a *app, cmd *cobra.Command) {
	flags, o := cmd.Flags(), &f.options
	flags.StringVar(&f.dir, "gitops", "", "write a `folder` for Flux instead of printing objects")
	flags.StringVar(&o.From, "from", "", "`version` of the platform that clusters upgrade from; the account keeps its permissions")
	flags.BoolVar(&o.Exact, "exact-rights", false, "grant the account only the permissions that these values require; it then cannot remove packages that earlier values enabled")
	objectNameFlag(cmd, &o.ValuesSecret, "values-secret", "", "`name` of a Secret with further values, which are kept out of git")
	objectNameFlag(cmd, &o.Flux.Source, "source", "flux-system", "`name` of the GitRepository that has the folder")
	flags.StringVar(&o.Flux.Path, "path", "", "`path` of the folder in the git repository (default: found by its .git folder)")
	namespaceFlag(cmd, &o.Flux.Namespace, "flux-namespace", "flux-system", "`namespace` of the GitRepository and of Flux's Kustomizations", currentCluster)
	objectNameFlag(cmd, &o.Flux.ServiceAccount, "service-account", "", "`name` of the ServiceAccount that Flux acts as (default: Flux's own)")
	objectNamesFlag(cmd, &o.Flux.DependsOn, "depends-on", "`name` of a Kustomization to wait for, such as one with secrets, repeatable")
	objectNameFlag(cmd, &o.Flux.SOPSSecret, "sops-secret", "", "`name` of the Secret with the decryption keys (default: the keys of Flux itself)")
	flags.BoolVar(&f.force, "force", false, "overwrite files that this command did not write")
	mustComplete(cmd, "gitops", completeFolders)
	mustComplete(cmd, "path", cobra.NoFileCompletions)
	mustComplete(cmd, "from", a.completePlatformVersions)
}

func completeFolders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// check refuses flags that have no meaning together.
func (f *gitopsFlags) check(cmd *cobra.Command, packages []string) error {
	if cmd.Flags().Changed("gitops") {
		switch {
		case f.dir == "":
			return usagef("--gitops requires a folder")
		case len(packages) > 0:
			return usagef("--gitops writes a whole environment: omit %s", packages[0])
		}
		return nil
	}
	for _, flag := range gitopsOnly() {
		if cmd.Flags().Changed(flag) {
			return usagef("--%s requires --gitops DIR", flag)
		}
	}
	return nil
}

// writeGitops writes the folder and says what must be on the cluster beside it.
func (a *app) writeGitops(ctx context.Context, name string, with envFlags, f gitopsFlags) error {
	c, e, err := a.environment(name, envFlags{values: with.values, all: true}) // a digest is made of all packages
	if err != nil {
		return err
	}
	if f.options.From != "" {
		if f.options.From, err = platformVersion(c, f.options.From); err != nil {
			return err
		}
	}
	f.options.Repository = with.repository // it may have a tag, and is not only source of the images
	if f.options.Flux.Path == "" {
		if f.options.Flux.Path, err = pathInGit(f.dir); err != nil {
			return err
		}
	}
	if f.options.Encrypted, err = gitops.Encrypted(f.dir); err != nil {
		return err
	}
	folder, err := gitops.Make(ctx, c, e, f.options)
	if err != nil {
		return err
	}
	changes, err := gitops.Write(f.dir, folder, f.force)
	if err != nil {
		return err
	}
	return printGitops(a.out(), f.dir, folder, changes)
}

// platformVersion is the full version of the platform that a person names.
func platformVersion(c *catalog.Catalog, version string) (string, error) {
	platform, err := c.Platform()
	if err != nil {
		return "", err
	}
	v, err := c.FindVersion(platform.Package, version)
	if err != nil {
		return "", err
	}
	return v.Version, nil
}

func printGitops(w io.Writer, dir string, folder *gitops.Folder, changes gitops.Changes) error {
	_, err := fmt.Fprintf(w, "%s: %d files, of which %d written, and %d removed\nrepository %s\n",
		dir, len(folder.Files), len(changes.Written), len(changes.Removed), folder.Repository)
	for _, need := range folder.Needs {
		if err == nil {
			_, err = fmt.Fprintf(w, "needs %s\n", need)
		}
	}
	return err
}

// pathInGit is where a folder lies in the git repository around it, with
// slashes. The folder need not exist yet.
func pathInGit(dir string) (string, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for top := absolute; ; top = filepath.Dir(top) {
		// It is a file in a worktree, and a folder elsewhere.
		_, err := os.Lstat(filepath.Join(top, ".git"))
		if err == nil {
			below, err := filepath.Rel(top, absolute)
			return filepath.ToSlash(below), err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("looking for the git repository of %s: %w", dir, err)
		}
		if filepath.Dir(top) == top {
			return "", usagef("%s is not in a git repository; pass its path in the repository with --path", dir)
		}
	}
}
