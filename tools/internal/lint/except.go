package lint

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/catalog"
)

// unusedException is the rule that exceptions themselves are judged by. One
// that silences nothing hides the next finding of its kind.
const unusedException = "unused-exception"

// exception is one of package.yml or version.yml, and whether it was of use.
type exception struct {
	catalog.LintException
	file              string
	pkg, version      string // version is empty for all versions
	matches           *regexp.Regexp
	used, judgeUnused bool
}

// except takes out what exceptions allow, and adds those that were of no use.
func except(exceptions []*exception, findings []Finding) []Finding {
	findings = slices.DeleteFunc(findings, func(f Finding) bool {
		allowed := false
		for _, e := range exceptions {
			if e.allows(f) {
				e.used, allowed = true, true
			}
		}
		return allowed
	})
	for _, e := range exceptions {
		if !e.used && e.judgeUnused {
			findings = append(findings, Finding{
				Rule: unusedException, Package: e.pkg, Version: e.version, File: e.file, Object: e.Object,
				Message: fmt.Sprintf("lint.allow has an unused exception from %s", e.Rule), Remedy: "remove it",
			})
		}
	}
	return findings
}

// collect reads the versions' exceptions. A package's are judged only where all
// its versions were linted.
func collect(c *catalog.Catalog, versions []*catalog.Version) []*exception {
	var list []*exception
	add := func(dir, name, pkg, version string, judge bool, allow []catalog.LintException) {
		for _, e := range allow {
			list = append(list, &exception{
				LintException: e, file: relative(c.Root, filepath.Join(dir, name)), pkg: pkg, version: version,
				matches: pattern(e.Object), judgeUnused: judge,
			})
		}
	}
	for _, p := range c.Packages {
		linted := 0
		for _, v := range p.Versions {
			if slices.Contains(versions, v) {
				linted++
				add(v.Dir, catalog.VersionFile, p.Name, v.Version, true, v.Lint.Allow)
			}
		}
		if linted > 0 {
			add(p.Dir, catalog.PackageFile, p.Name, "", linted == len(p.Versions), p.Lint.Allow)
		}
	}
	return list
}

func (e *exception) allows(f Finding) bool {
	return f.Rule == e.Rule && f.Package == e.pkg && (e.version == "" || f.Version == e.version) && e.matches.MatchString(f.Object)
}

// pattern is a text in which "*" stands for any other.
func pattern(text string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), `\*`, ".*") + "$")
}
