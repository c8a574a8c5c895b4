package catalog

import (
	"path"
	"slices"
	"strings"
)

// PermissionsDir holds the permission profiles of a package.
const PermissionsDir = "permissions"

// BaseProfile is the name of the profile that every install gets.
const BaseProfile = "base"

// Profile is packages/NAME/permissions/PROFILE.yml: a part of the permissions that an
// install of the package needs, and when it needs them. The permissions themselves are
// derived from what the package renders to with Values.
type Profile struct {
	// Name equals the file's name without ".yml".
	Name string `yaml:"-"`
	// File is the file's slash path in the checkout, for messages.
	File string `yaml:"-"`
	// Reason says, in one sentence, what needs the permissions.
	Reason string `yaml:"reason"`
	// When is the condition as a Starlark expression on the values of the package:
	// "not values.rbac.restrictSecretAccess". Without it, every install gets the profile.
	When string `yaml:"when,omitempty"`
	// Versions is a range of versions of the package, such as ">=2.21.0"; without it,
	// the profile is part of all versions.
	Versions string `yaml:"versions,omitempty"`
	// Namespaces is a Starlark expression on the values that gives a list of names:
	// "values.watch.namespaces". Of the namespaces that the account is granted permissions
	// in, beside the package's own, the profile is granted in these only; without it, in all.
	Namespaces string `yaml:"namespaces,omitempty"`
	// Values are values of the package, each to be rendered by itself, and all but the
	// first of base laid over the first of base. A profile without a condition, other
	// than base, has none and gets what escalates with the values of base.
	Values []map[string]any `yaml:"values,omitempty"`
}

// Profiles are the permission profiles of v, sorted by name.
func (v *Version) Profiles() []*Profile {
	return slices.DeleteFunc(slices.Clone(v.Package.Profiles), func(p *Profile) bool { return !p.covers(v) })
}

// covers tells whether the profile is part of a version.
func (p *Profile) covers(v *Version) bool { return p.Versions == "" || inRange(p.Versions, v.Version) }

// profiles reads the folder of a package's permission profiles.
func (l *loader) profiles(dir string) []*Profile {
	dir = path.Join(dir, PermissionsDir)
	if !l.exists(dir) {
		return nil
	}
	var profiles []*Profile
	for _, entry := range l.entries(dir) {
		file := path.Join(dir, entry.Name())
		name, isYAML := strings.CutSuffix(entry.Name(), ".yml")
		if entry.IsDir() || !isYAML || !dnsLabel.MatchString(name) {
			l.bad(file, "not a permission profile; its name must be a DNS label of lower-case letters, digits and dashes, and end in .yml")
			continue
		}
		profiles = append(profiles, l.profile(file, name))
	}
	if len(profiles) > 0 && !slices.ContainsFunc(profiles, func(p *Profile) bool { return p.Name == BaseProfile }) {
		l.bad(path.Join(dir, BaseProfile+".yml"), "missing; it holds the values whose permissions every install gets")
	}
	return profiles
}

// onlyOneAlways refuses profiles that every install of some version would get, beside
// base: each holds all that no value removes.
func (l *loader) onlyOneAlways(p *Package) {
	for i, profile := range p.Profiles {
		for _, other := range p.Profiles[:i] {
			if profile.Name == BaseProfile || other.Name == BaseProfile || profile.When != "" || other.When != "" {
				continue
			}
			at := slices.IndexFunc(p.Versions, func(v *Version) bool { return profile.covers(v) && other.covers(v) })
			if at >= 0 || profile.Versions == "" && other.Versions == "" {
				which := ""
				if at >= 0 && profile.Versions+other.Versions != "" {
					which = " of " + p.Versions[at].Version
				}
				l.bad(profile.File, "every install%s gets it, as %s; put both reasons into one profile, or set versions so that no version has both", which, other.Name)
			}
		}
	}
}

func (l *loader) profile(at, name string) *Profile {
	p := &Profile{Name: name, File: at}
	l.read(at, "", func(f *file, data []byte) {
		f.decode(data, p)
		if name == BaseProfile && p.When != "" {
			f.bad("when", "every install gets the profile %s; remove the condition", BaseProfile)
		}
		if name != BaseProfile && p.When != "" && len(p.Values) == 0 {
			f.bad("when", "no values; give those from which the permissions are derived")
		}
		if name != BaseProfile && p.When == "" && len(p.Values) > 0 {
			f.bad("values", "values without a condition; add them to %s.yml", BaseProfile)
		}
		if name == BaseProfile && p.Namespaces != "" {
			f.bad("namespaces", "the profile %s is granted in all namespaces; move the values that name these into another profile", BaseProfile)
		}
		if strings.ContainsAny(p.When, "\n\r") {
			f.bad("when", "the condition is not one line")
		}
		if strings.ContainsAny(p.Namespaces, "\n\r") {
			f.bad("namespaces", "the expression is not one line")
		}
		checkConstraint(f, "versions", p.Versions)
	})
	return p
}
