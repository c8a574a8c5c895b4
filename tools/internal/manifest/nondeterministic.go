package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
)

// Use is a call in a chart's template of a function whose result depends on
// something other than the chart and its values.
type Use struct {
	// File is a slash path below the chart's folder.
	File string
	// Line counts from 1.
	Line     int
	Function string
	Reason   string
}

// String is the use as errors show it.
func (u Use) String() string {
	return fmt.Sprintf("%s:%d: %s %s", u.File, u.Line, u.Function, u.Reason)
}

// NonDeterministic finds all such calls in a chart's folder, those of its
// dependencies and those that no value would reach included, by file and line.
func NonDeterministic(chartDir string) ([]Use, error) {
	c, err := loader.LoadDir(chartDir)
	if err != nil {
		return nil, fmt.Errorf("reading the chart %s: %w", chartDir, err)
	}
	uses := nonDeterministic(c)
	return uses, nil
}

// reason says why a function cannot be part of a package, or nothing. The
// functions are helm's and sprig's.
func reason(function string) string {
	switch function {
	case "lookup":
		return "queries the cluster, and there is none: the result would always be empty"
	case "getHostByName":
		return "asks the network"
	case "env", "expandenv":
		return "reads the environment"
	case "randAlphaNum", "randAlpha", "randAscii", "randNumeric", "randBytes", "randInt", "shuffle", "uuidv4":
		return "gives something else each time"
	case "genPrivateKey", "genCA", "genCAWithKey", "genSelfSignedCert", "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey":
		return "makes a key, which would be the same for every user of the package"
	case "htpasswd", "bcrypt", "encryptAES":
		return "mixes in random bytes"
	case "now", "ago":
		return "reads the clock"
	case "date", "date_in_zone", "dateInZone", "htmlDate", "htmlDateInZone", "toDate", "mustToDate",
		"date_modify", "dateModify", "must_date_modify", "mustDateModify":
		return "depends on the clock or on the machine's time zone"
	}
	return ""
}

func nonDeterministic(c *chart.Chart) []Use {
	var uses []Use
	for _, t := range c.Templates {
		_, file, _ := strings.Cut(path.Join(c.ChartFullPath(), t.Name), "/")
		uses = append(uses, usesIn(file, string(t.Data))...)
	}
	for _, dependency := range c.Dependencies() {
		uses = append(uses, nonDeterministic(dependency)...)
	}
	slices.SortStableFunc(uses, func(a, b Use) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return uses
}

// usesIn parses one template. One that does not parse has no uses here: the
// renderer says what is wrong with it.
func usesIn(file, text string) []Use {
	tree := parse.New(file)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(text, "", "", trees); err != nil {
		return nil
	}
	var uses []Use
	for _, t := range trees {
		walk(reflect.ValueOf(t.Root), func(n *parse.IdentifierNode) {
			if why := reason(n.Ident); why != "" {
				line := 1 + strings.Count(text[:n.Pos], "\n")
				uses = append(uses, Use{File: file, Line: line, Function: n.Ident, Reason: why})
			}
		})
	}
	return uses
}

// walk visits every function name below a node. The nodes of the parser have
// children of some twenty types in as many fields; following the fields by
// reflection forgets none.
func walk(v reflect.Value, visit func(*parse.IdentifierNode)) {
	switch v.Kind() {
	case reflect.Interface:
		walk(v.Elem(), visit)
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), visit)
		}
	case reflect.Pointer:
		if v.IsNil() || !v.CanInterface() {
			return
		}
		if n, ok := v.Interface().(*parse.IdentifierNode); ok {
			visit(n)
			return
		}
		walk(v.Elem(), visit)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), visit)
			}
		}
	}
}

// refuse makes an error of uses, with each one's place in the sources.
func refuse(dir string, uses []Use) error {
	var errs []error
	for _, u := range uses {
		u.File = path.Join(dir, u.File)
		errs = append(errs, errors.New(u.String()))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("the chart cannot be packaged, because it renders differently each time:\n%w\nuse the project's plain manifests or a kustomization instead", errors.Join(errs...))
}
