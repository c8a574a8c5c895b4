package catalog

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/names"
)

var (
	userForm = regexp.MustCompile(`^[0-9]+(:[0-9]+)?$`)
	modeForm = regexp.MustCompile(`^0[0-7]{3}$`)
	tagForm  = regexp.MustCompile(`^[a-zA-Z0-9_.]+$`)
)

func checkImage(f *file, at string, img Image) {
	if img.Name != "" && !dnsLabel.MatchString(img.Name) {
		f.bad(at+".name", "image name %q is not of lower-case letters, digits and dashes", img.Name)
	}
	if fault := referenceFault(img.Reference); fault != "" {
		f.bad(at+".reference", "reference %q %s; write it as the manifests do, without tag and digest", img.Reference, fault)
	}
	if img.Command == "" && (img.Generate != nil || len(img.With)+len(img.Links)+len(img.Ldflags)+len(img.Tags)+len(img.Files) > 0) {
		f.bad(at, "only an image with a command is built; add the command or remove generate, with, links, ldflags, tags and files")
	}
	if img.From != "" && img.Command != "" {
		f.bad(at+".from", "an image that %s makes has no command here; remove one of the two", img.From)
	}
	if img.Generate != nil {
		checkGenerate(f, at+".generate", *img.Generate)
	}
	if img.User != "" && !userForm.MatchString(img.User) {
		f.bad(at+".user", "user %q is not UID or UID:GID in digits", img.User)
	}
	if img.Command != "" {
		checkCommands(f, at, img)
	}
	for i, flag := range img.Ldflags {
		checkVariables(f, fmt.Sprintf("%s.ldflags[%d]", at, i), flag, versionVariable)
	}
	for i, tag := range img.Tags {
		if !tagForm.MatchString(tag) {
			f.bad(fmt.Sprintf("%s.tags[%d]", at, i), "build tag %q is not of letters, digits, dots and underscores", tag)
		}
	}
	known := []string{versionVariable}
	if img.Command != "" {
		known = append(known, moduleVersionVariable)
	}
	checkVariables(f, at+".published", img.Published, known...)
	if strings.Contains(img.Published, "://") {
		f.bad(at+".published", "published %q begins with a scheme; write HOST/PATH:TAG", img.Published)
	}
	for i, file := range img.Files {
		checkImageFile(f, fmt.Sprintf("%s.files[%d]", at, i), file)
	}
}

func checkGenerate(f *file, at string, g Generate) {
	for i, name := range g.Files {
		if !fs.ValidPath(name) || !filepath.IsLocal(name) {
			f.bad(fmt.Sprintf("%s.files[%d]", at, i), "file %q leaves the folder of go.mod or is not clean; write it relative to that folder, with forward slashes", name)
		}
	}
}

// referenceFault says what is wrong with an image's repository. Manifests
// write it in more forms than a registry takes (ko://…, a bare word), so only
// what would never match is refused.
func referenceFault(ref string) string {
	switch {
	case strings.ContainsAny(ref, " \t\r\n"):
		return "holds white space"
	case strings.Contains(ref, "@"):
		return "names a digest"
	case strings.Contains(path.Base(ref), ":"):
		return "names a tag"
	}
	return ""
}

// checkCommands wants base names that differ, since they name the programs in
// the image and the links to them.
func checkCommands(f *file, at string, img Image) {
	built := []string{path.Base(img.Command)}
	for i, command := range img.With {
		if slices.Contains(built, path.Base(command)) {
			f.bad(fmt.Sprintf("%s.with[%d]", at, i), "a program %q is already in the image; choose commands with different last path elements", path.Base(command))
		}
		built = append(built, path.Base(command))
	}
	for link, target := range img.Links {
		field := at + ".links." + link
		if !cleanAbsolute(link) {
			f.bad(field, "link %q is not a clean absolute path", link)
		}
		if !slices.Contains(built, target) {
			f.bad(field, "link %q points to %q, which is no command of this image; %s", link, target, names.Hint(target, built))
		}
	}
}

// The variables of package.yml.
const (
	versionVariable       = "VERSION"
	moduleVersionVariable = "MODULE_VERSION"
)

func checkVariables(f *file, field, text string, known ...string) {
	os.Expand(text, func(name string) string {
		if !slices.Contains(known, name) {
			f.bad(field, "unknown variable %q; known: ${%s}", name, strings.Join(known, "}, ${"))
		}
		return ""
	})
}

func checkImageFile(f *file, at string, file ImageFile) {
	if file.Path != "" && !cleanAbsolute(file.Path) {
		f.bad(at+".path", "path %q is not a clean absolute path", file.Path)
	}
	if file.Mode != "" && !modeForm.MatchString(file.Mode) {
		f.bad(at+".mode", `mode %q is not octal, such as "0644"`, file.Mode)
	}
	if file.UID < 0 || file.GID < 0 {
		f.bad(at, "uid and gid must not be negative")
	}
	if file.Folder && file.CARoots {
		f.bad(at, "a folder cannot hold the certificates of caRoots; name a file for them")
	}
}

func cleanAbsolute(p string) bool { return path.IsAbs(p) && path.Clean(p) == p && p != "/" }

// checkUnique notes the items of a list whose key another has already.
func checkUnique[T any](f *file, list string, items []T, field string, key func(T) string) {
	first := map[string]int{}
	for i, item := range items {
		at := fmt.Sprintf("%s[%d].%s", list, i, field)
		if j, found := first[key(item)]; found && key(item) != "" {
			f.bad(at, "%s %q is also used by %s[%d]; each must be unique", field, key(item), list, j)
			continue
		}
		first[key(item)] = i
	}
}
