package cli

import (
	"cmp"
	"context"
	"io"
	"strings"

	"github.com/strake-dev/strake/tools/internal/bundle"
	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/repository"
)

// profileRow is one permission profile as "strake rbac --profiles" prints it.
type profileRow struct {
	Name   string `json:"name"`
	When   string `json:"when,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Escalates has the permissions of the profile that escalate, each with how.
	Escalates []string `json:"escalates"`
}

// printProfiles lists the permission profiles of a version.
func (a *app) printProfiles(ctx context.Context, output outputFlags, arg string) error {
	c, v, err := a.version(arg)
	if err != nil {
		return err
	}
	b, err := repository.BuildVersion(ctx, c, v, repository.Options{})
	if err != nil {
		return err
	}
	rows := profileRows(b)
	return output.print(a.out(), rows, func(w io.Writer) error {
		var lines [][]string
		for _, row := range rows {
			lines = append(lines, []string{row.Name, cmp.Or(row.When, "always"), strings.Join(kinds(row.Escalates), "; "), row.Reason})
		}
		return table(w, []string{"PROFILE", "GRANTED IF", "ESCALATES", "REASON"}, lines)
	})
}

func profileRows(b *bundle.Bundle) []profileRow {
	var rows []profileRow
	for _, p := range b.Profiles {
		rows = append(rows, profileRow{
			Name: cmp.Or(p.Name, catalog.BaseProfile), When: p.When, Reason: p.Reason, Escalates: append([]string{}, p.Escalations...),
		})
	}
	return rows
}

// kinds are the ways in which permissions escalate, each once.
func kinds(escalations []string) []string {
	var list []string
	for _, e := range escalations {
		kind, _, _ := strings.Cut(e, ": ")
		if len(list) == 0 || list[len(list)-1] != kind { // they are sorted
			list = append(list, kind)
		}
	}
	return list
}
