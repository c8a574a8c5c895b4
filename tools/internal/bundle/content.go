package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/manifest"
)

// content is every file of the bundle.
func content(ctx context.Context, v *catalog.Version, repo catalog.Repository, objects []manifest.Object, installed []*Bundle) (map[string][]byte, error) {
	files, err := ConfigFiles(v.Package)
	if err != nil {
		return nil, err
	}
	lock, err := imagesLock(v, repo.Canonical, objects, files)
	if err != nil {
		return nil, err
	}
	if len(objects)+len(v.Package.Manifests) > 0 {
		if err := addUpstream(files, objects); err != nil {
			return nil, err
		}
	}
	inputs, err := GenerateInputs(v)
	if err != nil {
		return nil, err
	}
	files[factsFile] = facts(v, inputs)
	files[imagesFile] = lock
	if len(v.Installed()) > 0 {
		if err := addInstalls(ctx, files, v, repo, installed); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// facts are what overlays may know of their package, as Starlark variables:
// load("/package.star", "upstream"). left_out is for packages with optional images
// alone; inputs are the texts, by name, of the files from which sources of images are
// generated, if there are any.
func facts(v *catalog.Version, inputs map[string][]byte) []byte {
	facts := fmt.Appendf(nil, "name = %q\nversion = %q\nupstream = %q\n", v.Package.Name, v.Version, v.Upstream)
	if v.Package.Optional() {
		facts = append(facts, "left_out = {\n"...)
		for _, l := range v.LeftOut {
			facts = fmt.Appendf(facts, "  %q: %q,\n", l.Image, l.Reason)
		}
		facts = append(facts, "}\n"...)
	}
	if len(inputs) > 0 {
		facts = append(facts, "inputs = {\n"...)
		for _, name := range slices.Sorted(maps.Keys(inputs)) {
			facts = fmt.Appendf(facts, "  %q: %q,\n", name, inputs[name])
		}
		facts = append(facts, "}\n"...)
	}
	return facts
}

// GenerateInputs reads the files from which the sources of a version's images are
// generated, by name.
func GenerateInputs(v *catalog.Version) (map[string][]byte, error) {
	inputs := map[string][]byte{}
	for _, image := range v.Package.Images {
		if image.Generate == nil || image.From != "" {
			continue
		}
		for _, name := range image.Generate.Files {
			text, err := os.ReadFile(filepath.Join(v.Module(image.Command), filepath.FromSlash(name)))
			if err != nil {
				return nil, fmt.Errorf("reading what the sources of the image %s are generated from: %w", image.Name, err)
			}
			inputs[name] = text
		}
	}
	return inputs, nil
}

// ConfigFiles reads a package's config folder, keyed as the bundle holds
// them: "config/schema.yml", with those of the shared files that it loads as
// "config/_common/…". Names that begin with a dot and backups of editors are left
// out.
func ConfigFiles(p *catalog.Package) (map[string][]byte, error) {
	files := map[string][]byte{}
	root := p.Config()
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || file == root {
			return err
		}
		return addConfigFile(files, root, file, entry)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: a package requires this folder with a schema.yml: %w", root, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the package's ytt files: %w", err)
	}
	if _, ok := files[schemaFile]; !ok {
		return nil, fmt.Errorf("%s: missing: it declares the values that a user may set", filepath.Join(root, "schema.yml"))
	}
	return files, addCommon(files, p)
}

func addConfigFile(files map[string][]byte, root, file string, entry fs.DirEntry) error {
	if strings.HasPrefix(entry.Name(), ".") || catalog.IsBackup(entry.Name()) {
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	rel, err := filepath.Rel(root, file)
	if err != nil {
		return err
	}
	name := path.Join(configDir, filepath.ToSlash(rel))
	if slices.Contains([]string{upstreamDir, factsFile, commonDir, installsFile, schemasFile, accountsFile, librariesDir}, name) {
		return fmt.Errorf("%s: the name is taken by what the build writes there; choose another", file)
	}
	if entry.IsDir() {
		return nil
	}
	if !entry.Type().IsRegular() {
		return fmt.Errorf("%s: not a regular file; a bundle can hold no other kind", file)
	}
	files[name], err = os.ReadFile(file)
	return err
}

// addUpstream writes the objects as plain YAML. Without a file mark ytt makes the
// same of them, only slower (see plainMarks): it takes only comments that begin with
// "#@" as instructions, and encoding leaves no comment; text templating ("(@ @)")
// is for .txt files alone. CRDs stand apart because they dwarf everything else.
func addUpstream(files map[string][]byte, objects []manifest.Object) error {
	if len(objects) == 0 {
		return errors.New("the upstream renders to no objects; check the manifests of package.yml")
	}
	crds, rest := split(objects, func(o manifest.Object) bool { return o.GetKind() == crdKind })
	for file, part := range map[string][]manifest.Object{crdFile: crds, objectFile: rest} {
		if len(part) == 0 {
			continue
		}
		var out bytes.Buffer
		if err := manifest.Encode(&out, part); err != nil {
			return fmt.Errorf("encoding the upstream objects for %s: %w", file, err)
		}
		files[file] = out.Bytes()
	}
	return nil
}
