package rbac

import (
	"encoding"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/manifest"
)

// Profile is a part of the rights to install a package, and when an install has it.
type Profile struct {
	// Name is a DNS label, and empty for the part that every install has together with
	// its account.
	Name string
	// Reason says what needs the rights.
	Reason string
	// When is a Starlark expression on "values", the values of the package; empty for a
	// part that every install has.
	When string
	// Namespaces is a Starlark expression on "values" that gives the names of the namespaces
	// to which rights in [NamedNamespace] are limited; empty for all that are given.
	Namespaces string
	Rights     Rights
	// Escalations say what of the rights escalates; see [Rights.Escalations].
	Escalations []string
}

// Objects are the roles of the profile with their bindings. Those of the profile without
// a name begin with the namespaces to be made first and the ServiceAccount.
func (p Profile) Objects(a Account) ([]manifest.Object, error) {
	if p.Name == "" {
		return p.Rights.Objects(a)
	}
	why := p.Reason
	if p.When != "" {
		why += " Granted if " + p.When + "."
	}
	return objects(a.roles(p.Rights, ":"+p.Name, func(Place) string { return why }))
}

// MergeProfiles are the profiles of several versions of a package together.
func MergeProfiles(lists ...[]Profile) []Profile {
	var merged []Profile
	for _, p := range slices.Concat(lists...) {
		i := slices.IndexFunc(merged, func(m Profile) bool { return m.Name == p.Name })
		if i < 0 {
			merged = append(merged, p)
			continue
		}
		merged[i].Rights = Union(merged[i].Rights, p.Rights)
		merged[i].Escalations = slices.Compact(slices.Sorted(slices.Values(slices.Concat(merged[i].Escalations, p.Escalations))))
	}
	return merged
}

// Without is r without what other grants in the same place or everywhere.
func (r Rights) Without(other Rights) Rights {
	rest := Rights{In: map[Place]Rules{}}
	for place, rules := range r.In {
		granted := map[Rule]bool{}
		for _, namespace := range []string{place.Namespace, Cluster} {
			for _, held := range []bool{true, false} {
				for _, rule := range other.In[Place{namespace, held}] {
					granted[rule] = true
				}
			}
		}
		for _, rule := range rules {
			if !slices.ContainsFunc(wider(rule), func(w Rule) bool { return granted[w] }) {
				rest.In[place] = append(rest.In[place], rule)
			}
		}
	}
	for _, name := range r.Namespaces {
		if !slices.Contains(other.Namespaces, name) {
			rest.Namespaces = append(rest.Namespaces, name)
		}
	}
	return rest
}

// Held splits rights into kapp's own and those that are there only to be given.
func (r Rights) Held() (kapps, held Rights) {
	kapps, held = Rights{In: map[Place]Rules{}, Namespaces: r.Namespaces}, Rights{In: map[Place]Rules{}}
	for place, rules := range r.In {
		if place.Held {
			held.In[place] = rules
		} else {
			kapps.In[place] = rules
		}
	}
	return kapps, held
}

// Moved are the rights with another name in the place of a namespace's.
func (r Rights) Moved(from, to string) Rights {
	moved := Rights{In: map[Place]Rules{}}
	for place, rules := range r.In {
		if place.Namespace == from {
			place.Namespace = to
		}
		rules = slices.Clone(rules)
		for i, rule := range rules {
			if rule.Group == "" && rule.Resource == "namespaces" && rule.Name == from {
				rules[i].Name = to
			}
		}
		moved.In[place] = append(moved.In[place], rules...)
	}
	for _, name := range r.Namespaces {
		if name == from {
			name = to
		}
		moved.Namespaces = append(moved.Namespaces, name)
	}
	return Union(moved)
}

// Empty tells whether nothing is granted.
func (r Rights) Empty() bool { return len(r.In) == 0 }

var (
	_ encoding.TextMarshaler   = Place{}
	_ encoding.TextUnmarshaler = &Place{}
)

const heldPrefix = "held/"

// MarshalText makes a place the key of a JSON object; no namespace holds a slash.
func (p Place) MarshalText() ([]byte, error) {
	if p.Held {
		return []byte(heldPrefix + p.Namespace), nil
	}
	return []byte(p.Namespace), nil
}

// UnmarshalText reads what [Place.MarshalText] writes.
func (p *Place) UnmarshalText(text []byte) error {
	p.Namespace, p.Held = strings.CutPrefix(string(text), heldPrefix)
	return nil
}
