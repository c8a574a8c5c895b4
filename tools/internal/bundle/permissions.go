package bundle

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/rbac"
)

const (
	// rightsDir holds what grants the rights to install the package. It is outside
	// of config/, so that kapp-controller does not deploy it.
	rightsDir = "rbac"
	// changeGroup is kapp's annotation by which the objects of a package that installs
	// others tell which of them they belong to, followed by partOf and its name.
	changeGroup = "kapp.k14s.io/change-group"
	partOf      = "packages.strake.dev/"
)

// permissions derives the permission profiles of one version.
type permissions struct {
	version *catalog.Version
	repo    catalog.Repository
	// files are the bundle's, with CRDs without schemas.
	files     map[string][]byte
	installed []*Bundle
	// own is the package's default namespace; fixed are the other namespaces that no
	// value chooses.
	own   string
	fixed []string
}

// derive makes the profiles and gives what the default values render to. The first
// profile has no name: every install gets it, and nothing of it escalates. Values that a
// profile names and the version refuses are an error.
func (p *permissions) derive(ctx context.Context, schema []byte) ([]manifest.Object, []rbac.Profile, error) {
	p.own, _ = ownNamespace(schema)
	defaults, err := rendered(ctx, yttRequest{files: p.files})
	if err != nil {
		return nil, nil, err
	}
	plain, _, err := derive(defaults, nil, p.own)
	if err != nil {
		return nil, nil, err
	}
	if p.fixed, err = ownNamespaces(p.installed); err != nil {
		return nil, nil, err
	}
	p.fixed = append(p.fixed, plain.InNamespaces()...)
	for _, b := range p.installed {
		for _, profile := range b.Profiles {
			p.fixed = append(p.fixed, profile.Rights.InNamespaces()...) // what values chose is a parameter there
		}
	}
	profiles, err := p.profiles(ctx)
	if err != nil {
		return nil, nil, err
	}
	always, more, err := p.ofInstalled(ctx)
	profiles[0].Rights = rbac.Union(profiles[0].Rights, always)
	return defaults, append(profiles, more...), err
}

// profiles are those that the package declares. A package without any has one, which
// holds all that its default values need.
func (p *permissions) profiles(ctx context.Context) ([]rbac.Profile, error) {
	declared := p.version.Profiles()
	base := &catalog.Profile{Name: catalog.BaseProfile}
	if i := slices.IndexFunc(declared, func(d *catalog.Profile) bool { return d.Name == catalog.BaseProfile }); i >= 0 {
		base = declared[i]
	}
	first := firstOfBase(p.version)
	values := [][]map[string]any{{first}}
	if len(base.Values) > 1 {
		values = append(values, over(first, base.Values[1:])...)
	}
	needed, scope, err := p.of(ctx, base, values)
	if err != nil {
		return nil, err
	}
	if len(declared) == 0 {
		return []rbac.Profile{{Rights: needed, Escalations: needed.Escalations(scope)}}, nil
	}
	modest, escalating := needed.Escalating(scope)
	always, profiles, explained := modest, []rbac.Profile{{Rights: modest}}, escalating.Empty()
	for _, d := range declared {
		switch {
		case d.Name == catalog.BaseProfile:
		case d.When == "":
			explained = true
			profiles = append(profiles, profile(d, escalating, scope))
		default:
			made, scope, err := p.of(ctx, d, over(first, d.Values))
			if err != nil {
				return nil, err
			}
			// What kapp does with the objects stays when the values change, so that it can
			// remove them.
			more, escalating := made.Without(needed).Escalating(scope)
			kapps, given := more.Held()
			always = rbac.Union(always, kapps)
			profiles = append(profiles, profile(d, rbac.Union(given, escalating), scope))
		}
		if last := profiles[len(profiles)-1]; last.Rights.Empty() {
			return nil, fmt.Errorf("%s: its values need no more permissions than those of %s.yml; every install may already do what kapp does with their objects; remove the profile, add its values to those of base, or set versions", d.File, catalog.BaseProfile)
		}
	}
	if !explained {
		return nil, fmt.Errorf("%s: its values need permissions that escalate; choose other values, or add a profile without \"when\" whose reason says why every install needs them:\n%s",
			base.File, strings.Join(escalating.Escalations(scope), "\n"))
	}
	profiles[0].Rights = always
	return profiles, nil
}

func profile(d *catalog.Profile, rights rbac.Rights, scope rbac.Scope) rbac.Profile {
	return rbac.Profile{Name: d.Name, Reason: strings.TrimSpace(d.Reason), When: d.When, Namespaces: d.Namespaces, Rights: rights, Escalations: rights.Escalations(scope)}
}

// of is what the values of a profile need together, and what decides which of it escalates.
// Each of the values are laid over each other.
func (p *permissions) of(ctx context.Context, d *catalog.Profile, values [][]map[string]any) (rbac.Rights, rbac.Scope, error) {
	var all []rbac.Rights
	var objects []manifest.Object
	for _, v := range values {
		rights, made, err := p.ofValues(ctx, v)
		if err != nil && d.File != "" {
			err = fmt.Errorf("%s: %w", d.File, err)
		}
		if err != nil {
			return rbac.Rights{}, rbac.Scope{}, err
		}
		all, objects = append(all, rights), append(objects, made...)
	}
	return rbac.Union(all...).Generalized(p.fixed), rbac.ScopeOf(objects), nil
}

func (p *permissions) ofValues(ctx context.Context, values []map[string]any) (rbac.Rights, []manifest.Object, error) {
	files, err := ownFiles(values...)
	if err != nil {
		return rbac.Rights{}, nil, err
	}
	objects, err := rendered(ctx, yttRequest{files: p.files, values: files})
	if err != nil {
		return rbac.Rights{}, nil, err
	}
	rights, _, err := derive(objects, files, p.own)
	return rights, objects, err
}

// over lays each of the values over the first ones.
func over(first map[string]any, values []map[string]any) [][]map[string]any {
	var all [][]map[string]any
	for _, v := range values {
		all = append(all, []map[string]any{first, v})
	}
	return all
}

// ofInstalled are the profiles of a version that installs packages: it makes their
// accounts, so it must hold what these get. For each package there is one, and one for
// each of the package's own profiles that have a condition. They hold for all versions
// that the values may select. What removes a package that is no longer enabled is needed
// always.
func (p *permissions) ofInstalled(ctx context.Context) (always rbac.Rights, profiles []rbac.Profile, err error) {
	if len(p.version.Installed()) == 0 {
		return rbac.Rights{}, nil, nil
	}
	parts, err := p.parts(ctx)
	if err != nil {
		return rbac.Rights{}, nil, err
	}
	for _, v := range p.version.Installed() {
		kapps, own, err := p.ofPackage(v, parts[v.Package.Name])
		if err != nil {
			return rbac.Rights{}, nil, err
		}
		always, profiles = rbac.Union(always, kapps), append(profiles, own...)
	}
	return always, profiles, nil
}

// ofPackage are the profiles of [permissions.ofInstalled] for one package. The part are
// its objects with the first values of its profile base.
func (p *permissions) ofPackage(v *catalog.Version, part []manifest.Object) (always rbac.Rights, profiles []rbac.Profile, err error) {
	b := find(p.installed, v)
	namespace, err := declaredNamespace(b.PackageCR)
	if err != nil {
		return rbac.Rights{}, nil, err
	}
	account := rbac.Account{
		Name: v.Package.Name + "-installer", Install: v.Package.Name, Namespace: rbac.ThisNamespace,
		PackageNamespace: namespace, OtherNamespaces: []string{rbac.NamedNamespace},
	}
	enabled := fmt.Sprintf("getattr(values.packages, %q).enabled", v.Package.Name)
	reason := fmt.Sprintf("Installs %s.", v.Package.Metadata.DisplayName)
	unconditional := rbac.Profile{Name: v.Package.Name, Reason: reason, When: enabled}
	add := func(profile rbac.Profile, objects []manifest.Object, own string) (rbac.Profile, error) {
		kapps, given, scope, err := p.split(objects, own)
		if namespace != "" {
			kapps, given = kapps.Moved(namespace, rbac.NamespaceOf(v.Package.Name)), given.Moved(namespace, rbac.NamespaceOf(v.Package.Name))
		}
		always = rbac.Union(always, kapps)
		profile.Rights = given
		profile.Escalations = given.Escalations(scope)
		return profile, err
	}
	if unconditional, err = add(unconditional, part, p.own); err != nil {
		return rbac.Rights{}, nil, err
	}
	own, err := profilesWith(b, p.repo.Older(v), p.installed)
	if err != nil {
		return rbac.Rights{}, nil, err
	}
	for _, d := range own {
		objects, err := d.Objects(account)
		if err != nil {
			return rbac.Rights{}, nil, err
		}
		profile := rbac.Profile{Name: unconditional.Name, Reason: reason, When: enabled}
		if d.When != "" {
			profile.Name, profile.Reason = v.Package.Name+"."+d.Name, reason+" "+d.Reason
			profile.When = fmt.Sprintf("%s and %s", enabled, ofValues(d.When, v))
		}
		if d.When != "" && d.Namespaces != "" {
			profile.Namespaces = ofValues(d.Namespaces, v)
		}
		if profile, err = add(profile, objects, rbac.ThisNamespace); err != nil {
			return rbac.Rights{}, nil, err
		}
		if d.When != "" {
			profiles = append(profiles, profile)
			continue
		}
		unconditional = rbac.MergeProfiles([]rbac.Profile{unconditional}, []rbac.Profile{profile})[0]
	}
	return always, slices.Insert(profiles, 0, unconditional), nil
}

// ofValues is an expression on the values of an installed package as one on those of the
// package that installs it.
func ofValues(expression string, v *catalog.Version) string {
	return fmt.Sprintf("(lambda values: %s)(getattr(values.packages, %q).values)", expression, v.Package.Name)
}

// split derives what objects need: what kapp does with them, and what their roles give
// to others or escalates.
func (p *permissions) split(objects []manifest.Object, own string) (kapps, given rbac.Rights, scope rbac.Scope, err error) {
	needed, _, err := derive(objects, nil, own)
	if err != nil {
		return rbac.Rights{}, rbac.Rights{}, scope, err
	}
	scope = rbac.ScopeOf(objects)
	modest, escalating := needed.Generalized(p.fixed).Escalating(scope)
	kapps, held := modest.Held()
	return kapps, rbac.Union(held, escalating), scope, nil
}

// parts are the objects of each installed package, by its name, with the first values of
// its profile base, over the first ones of this version's own.
func (p *permissions) parts(ctx context.Context) (map[string][]manifest.Object, error) {
	packages := map[string]any{}
	for _, v := range p.version.Installed() {
		packages[v.Package.Name] = map[string]any{"enabled": true, "values": firstOfBase(v)}
	}
	values, err := ownFiles(firstOfBase(p.version), map[string]any{"packages": packages})
	if err != nil {
		return nil, err
	}
	objects, err := rendered(ctx, yttRequest{files: p.files, values: values})
	if err != nil {
		return nil, err
	}
	parts := map[string][]manifest.Object{}
	for _, o := range objects {
		if _, name, ok := strings.Cut(o.GetAnnotations()[changeGroup], partOf); ok {
			parts[name] = append(parts[name], o)
		}
	}
	return parts, nil
}

// firstOfBase are the values over which all other values of a version's profiles are laid.
func firstOfBase(v *catalog.Version) map[string]any {
	for _, d := range v.Profiles() {
		if d.Name == catalog.BaseProfile && len(d.Values) > 0 {
			return d.Values[0]
		}
	}
	return map[string]any{}
}

// addPermissions writes the folder rbac/ of the bundle: the profiles, and the schema of
// the values that choose among them.
func addPermissions(ctx context.Context, files map[string][]byte, name, own string, profiles []rbac.Profile) error {
	made, err := rbac.Template(name, own, profiles)
	if err != nil {
		return err
	}
	if made[valuesLib], err = schemaFunction(files[schemaFile], "Values of the package. They decide about its permissions."); err != nil {
		return err
	}
	for name, text := range made {
		files[path.Join(rightsDir, name)] = text
	}
	if err := addLoaded(files, rightsDir, files); err != nil {
		return err
	}
	// The conditions are run once, so that a wrong one is found now.
	values, err := ownFiles(map[string]any{"namespace": "packages"})
	if err != nil {
		return err
	}
	if _, err := rendered(ctx, yttRequest{files: files, dir: rightsDir, values: values}); err != nil {
		return fmt.Errorf("checking the conditions of %s/: %w", catalog.PermissionsDir, err)
	}
	return nil
}

// addLibraries copies the libraries that files of the folder load.
func addLibraries(files map[string][]byte, dir string, from map[string][]byte, text []byte) {
	for _, match := range libraryLoad.FindAllSubmatch(text, -1) {
		library := string(match[1]) + string(match[2])
		prefix := path.Join(librariesDir, library) + "/"
		for name, data := range from {
			if rel, ok := strings.CutPrefix(name, prefix); ok {
				files[path.Join(dir, path.Base(librariesDir), library, rel)] = data
			}
		}
	}
}
