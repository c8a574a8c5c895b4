package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Needed is one version to install, and who asked for it.
type Needed struct {
	*Version
	// By are the versions that require it; empty for one that was chosen.
	By []*Version
}

// InstallOrder answers with the chosen versions and what they cannot do
// without, each after all that it requires. A package that is required and not
// chosen comes in its newest published version that satisfies everybody.
// Optional needs add nothing, but what is chosen comes in their order, too.
// Otherwise the order is that of the catalog.
func (c *Catalog) InstallOrder(chosen []*Version) ([]Needed, error) {
	needed, err := c.closure(chosen)
	if err != nil {
		return nil, err
	}
	if err := conflicts(needed); err != nil {
		return nil, err
	}
	var order []Needed
	placed := map[string]bool{}
	var place func(n *Needed)
	place = func(n *Needed) {
		if placed[n.Package.Name] {
			return
		}
		placed[n.Package.Name] = true // the catalog has no cycles
		for _, r := range n.Requires {
			if need := needed[r.Package]; need != nil {
				place(need)
			}
		}
		order = append(order, *n)
	}
	for _, p := range c.Packages {
		if n := needed[p.Name]; n != nil {
			place(n)
		}
	}
	return order, nil
}

// closure adds what is required, by package name.
func (c *Catalog) closure(chosen []*Version) (map[string]*Needed, error) {
	needed := map[string]*Needed{}
	for _, v := range chosen {
		needed[v.Package.Name] = &Needed{Version: v}
	}
	needs := map[string][]Requirement{} // of packages that were not chosen
	for queue := slices.Clone(chosen); len(queue) > 0; queue = queue[1:] {
		for _, r := range queue[0].Requires {
			n := needed[r.Package]
			if r.Optional || n != nil && slices.Contains(chosen, n.Version) {
				continue
			}
			needs[r.Package] = append(needs[r.Package], r)
			v := c.newest(needs[r.Package]...)
			if v == nil {
				return nil, fmt.Errorf("%s requires %s %s (%s), and no such version is published in %s that also satisfies the others",
					queue[0].ID(), r.Package, r.Constraint, r.Reason, RepositoryFile)
			}
			if n == nil || n.Version != v {
				n = &Needed{Version: v, By: byOf(n)}
				needed[r.Package], queue = n, append(queue, v)
			}
			n.By = append(n.By, queue[0])
		}
	}
	return needed, nil
}

func byOf(n *Needed) []*Version {
	if n == nil {
		return nil
	}
	return n.By
}

// conflicts names every need that a version which is to be installed does not
// satisfy.
func conflicts(needed map[string]*Needed) error {
	var errs []error
	for _, n := range needed {
		for _, r := range n.Requires {
			if other := needed[r.Package]; other != nil && !r.Admits(other.Version.Version) {
				errs = append(errs, fmt.Errorf("%s requires %s %s (%s), but %s is selected; choose another version of one of them",
					n.ID(), r.Package, r.Constraint, r.Reason, other.Version.Version))
			}
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}
