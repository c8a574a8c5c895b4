package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// varP is pflag's way to add a flag of any type.
type varP func(value pflag.Value, name, short, usage string)

// mustComplete registers a flag's completion. It fails only for a flag that
// does not exist or has one, which any run of the program would show.
func mustComplete(cmd *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

// completeVersions offers packages, and the versions of one once its name and
// an "@" are typed. What is on the command line already is not offered again.
func (a *app) completeVersions(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	c, err := a.catalog(catalog.AllowMissingLocks, catalog.LeaveOutBroken)
	if err != nil {
		cobra.CompErrorln(err.Error())
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	name, _, versions := strings.Cut(typed, "@")
	var offers []cobra.Completion
	for _, p := range c.Packages {
		switch {
		case versions && p.Name == name:
			offers = append(offers, versionOffers(p)...)
		case !versions:
			offers = append(offers, cobra.CompletionWithDesc(p.Name, p.Metadata.ShortDescription))
		}
	}
	return without(offers, args), cobra.ShellCompDirectiveNoFileComp
}

func versionOffers(p *catalog.Package) []cobra.Completion {
	var offers []cobra.Completion
	for _, v := range p.Versions {
		offers = append(offers, cobra.CompletionWithDesc(p.Name+"@"+v.Version, p.Metadata.DisplayName+" "+v.Upstream))
	}
	return offers
}

func without(offers []cobra.Completion, args []string) []cobra.Completion {
	given := map[string]bool{}
	for _, arg := range args {
		given[arg] = true
	}
	var left []cobra.Completion
	for _, offer := range offers {
		if word, _, _ := strings.Cut(offer, "\t"); !given[word] {
			left = append(left, offer)
		}
	}
	return left
}

// completeOlder offers the versions of the package that is named already, for
// flags that take a version of it.
func (a *app) completeOlder(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	c, err := a.catalog(catalog.AllowMissingLocks)
	if err != nil || len(args) == 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	v, err := c.Find(args[0])
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return otherVersions(v), cobra.ShellCompDirectiveNoFileComp
}

// completePlatformVersions offers the versions of the package that installs the
// others.
func (a *app) completePlatformVersions(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	c, err := a.catalog(catalog.AllowMissingLocks)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	v, err := c.Platform()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return otherVersions(v), cobra.ShellCompDirectiveNoFileComp
}

func otherVersions(of *catalog.Version) []cobra.Completion {
	var offers []cobra.Completion
	for _, v := range of.Package.Versions {
		if v != of {
			offers = append(offers, v.Version)
		}
	}
	return offers
}
