package test

import (
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// wordingOnly are the changed files of packages in which nothing but texts for people
// differs from the base: no cluster can see that.
func wordingOnly(base string, paths []string) (map[string]bool, error) {
	only := map[string]bool{}
	for _, p := range paths {
		if touchedPackage(p) == "" {
			continue
		}
		before, err := git("show", base+":"+p)
		if err != nil {
			continue // the file is new
		}
		after, err := os.ReadFile(filepath.Join("..", p))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		only[p] = sameButForWording(p, before, string(after))
	}
	return only, nil
}

// withoutWording leaves out the files in which only texts differ, and what was generated
// from them: the published versions of a package of which nothing else changed, and
// those of the packages that install it.
func withoutWording(c checkout, paths []string, only map[string]bool) (rest []string, reworded []string) {
	changed, reworded := map[string]bool{}, []string{}
	for _, p := range paths {
		name := touchedPackage(p)
		if only[p] {
			reworded = append(reworded, name)
		} else if name != "" && !isProse(p) && !isGenerated(p) {
			changed[name] = true
		}
	}
	slices.Sort(reworded)
	reworded = slices.Compact(reworded)
	for _, p := range paths {
		name := touchedPackage(p)
		follows := slices.Contains(reworded, name) || len(reworded) > 0 && slices.Contains(c.installing, name)
		if only[p] || isGenerated(p) && follows && !changed[name] {
			continue
		}
		rest = append(rest, p)
	}
	return rest, slices.DeleteFunc(reworded, func(name string) bool { return changed[name] })
}

// textual are the fields of package.yml and version.yml that only people read. Reasons are
// not among them, since packages render some into objects.
var textual = []string{
	"shortDescription", "longDescription", "supportDescription", "proof", "releaseNotes", "capacity", "description",
}

var (
	// comment is a line of YAML that ytt drops, or that describes a value; #!/ begins a
	// script. remark is a comment in Starlark, whose strings may be rendered.
	comment = regexp.MustCompile(`(?m)^\s*#(!([^/\n].*)?|@schema/(desc|examples|deprecated)\b.*)\n`)
	remark  = regexp.MustCompile(`(?m)^\s*#.*\n`)
)

func sameButForWording(file, before, after string) bool {
	switch path.Base(file) {
	case "package.yml", "version.yml":
		var a, b any
		if yaml.Unmarshal([]byte(before), &a) != nil || yaml.Unmarshal([]byte(after), &b) != nil {
			return false
		}
		return reflect.DeepEqual(withoutTexts(a), withoutTexts(b))
	}
	if !strings.HasPrefix(file, "packages/") || !strings.Contains(file, "/config/") {
		return false
	}
	bare := func(text string) string {
		switch path.Ext(file) {
		case ".yml":
			text = comment.ReplaceAllString(text+"\n", "")
		case ".star":
			text = remark.ReplaceAllString(text+"\n", "")
		}
		return strings.TrimSpace(text)
	}
	return bare(before) == bare(after)
}

func withoutTexts(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			switch {
			case slices.Contains(textual, key):
				delete(v, key)
			case key != "values": // a chart's own, which may have such names
				v[key] = withoutTexts(inner)
			}
		}
	case []any:
		for i, inner := range v {
			v[i] = withoutTexts(inner)
		}
	}
	return value
}

func TestSameButForWording(t *testing.T) {
	const schema, star = "packages/keda/config/schema.yml", "packages/keda/config/lib/features.star"
	for name, test := range map[string]struct {
		file, before, after string
		want                bool
	}{
		"a description":         {schema, "#@schema/desc \"a\"\nb: 1\n", "#@schema/desc \"c\"\nb: 1\n", true},
		"an example's title":    {schema, "#@schema/examples (\"a\", 1)\nb: 1\n", "#@schema/examples (\"c\", 1)\nb: 1", true},
		"a comment":             {schema, "b: 1\n", "#! why\nb: 1\n", true},
		"a default":             {schema, "#@schema/desc \"a\"\nb: 1\n", "#@schema/desc \"a\"\nb: 2\n", false},
		"a validation":          {schema, "#@schema/validation min=1\nb: 1\n", "#@schema/validation min=2\nb: 1\n", false},
		"a comment of Starlark": {star, "a = 1\n", "# why\na = 1\n", true},
		"a text of Starlark":    {star, "feature(\"a\", \"Allow a b.\", 1)\n", "feature(\"a\", \"Allow b.\", 1)\n", false},
		"a script":              {schema, "run: |\n  #!/bin/sh\n", "run: |\n  #!/bin/bash\n", false},
		"an empty comment":      {schema, "b: 1\n", "#!\nb: 1\n", true},
		"a reason":              {"packages/keda/1.0.0/version.yml", "leftOut: [{reason: a}]\n", "leftOut: [{reason: b}]\n", false},
		"a value of a chart":    {"packages/keda/package.yml", "manifests: [{values: {description: a}}]\n", "manifests: [{values: {description: b}}]\n", false},
		"a message":             {star, "fail(\"a b\")\n", "fail(\"b c\")\n", false},
		"release notes":         {"packages/keda/1.0.0/version.yml", "version: 1.0.0\nreleaseNotes: a\n", "version: 1.0.0\nreleaseNotes: b\n", true},
		"a nested description":  {"packages/keda/package.yml", "metadata: {longDescription: a}\nincludes: [{description: a}]\n", "metadata: {longDescription: b}\nincludes: [{description: b}]\n", true},
		"a version":             {"packages/keda/1.0.0/version.yml", "version: 1.0.0\n", "version: 1.0.1\n", false},
		"no YAML":               {"packages/keda/package.yml", "a: 1\n", "a: [\n", false},
		"values of an overlay":  {"config/dev/packages/keda.yml", "description: a\n", "description: b\n", false},
		"what an object says":   {"packages/keda/config/objects/a.yml", "description: a\n", "description: b\n", false},
		"an example's manifest": {"packages/keda/examples/scale/a.yml", "#! a\n", "#! b\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, sameButForWording(test.file, test.before, test.after))
		})
	}
}

func TestWithoutWording(t *testing.T) {
	const source, other, published, all = "packages/keda/config/schema.yml", "packages/keda/config/kapp.yml",
		"repo/packages/keda.strake.test/1.0.0.yml", "repo/packages/platform.strake.test/1.0.0.yml"
	c := checkout{installing: []string{"platform"}}
	rest, reworded := withoutWording(c, []string{source, published, all, "tools/a.go"}, map[string]bool{source: true})
	require.Equal(t, []string{"tools/a.go"}, rest)
	require.Equal(t, []string{"keda"}, reworded)

	rest, reworded = withoutWording(c, []string{source, other, published}, map[string]bool{source: true})
	require.Equal(t, []string{other, published}, rest, "more than words changed")
	require.Empty(t, reworded)

	paths := []string{published, all, "tools/a.go"}
	rest, _ = withoutWording(c, paths, nil)
	require.Equal(t, paths, rest, "the tools changed what is published")
}
