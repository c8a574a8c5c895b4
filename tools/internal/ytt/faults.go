package ytt

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"carvel.dev/ytt/pkg/schema"
	"carvel.dev/ytt/pkg/validations"
	"carvel.dev/ytt/pkg/workspace"
	"carvel.dev/ytt/pkg/workspace/datavalues"
	"carvel.dev/ytt/pkg/yamlmeta"
)

// ValuesError lists what is wrong with the values of a request.
type ValuesError struct {
	Faults []Fault
	// Text is ytt's own report.
	Text string
}

// Error returns ytt's report, which names lines of the values as they were given.
func (e *ValuesError) Error() string { return e.Text }

// Fault is one value that the schema refuses.
type Fault struct {
	// Path leads to the value: keys, and indexes of lists in decimal. It is empty
	// where the document itself is wrong. Name is the path as people read it,
	// operator.env[0].name.
	Path []string
	Name string
	// File and Line are where it stands among the values. They are empty where no file has
	// it, such as a default that a validation refuses.
	File string
	Line int
	// Message says what was expected and what was found. It is empty for an unknown key.
	Message string
	// Known are the keys beside an unknown one, and Elsewhere the paths below them at
	// which the schema has the same key.
	Known, Elsewhere []string
}

// faults finds what is wrong with the values after ytt has refused them. It lets ytt
// itself read the values and the schema and run the validations. None means that the
// values are not what is wrong.
func (r Request) faults() []Fault {
	values, err := r.marked()
	if err != nil || len(values) == 0 {
		return nil
	}
	library := workspace.NewRootLibrary(input(r.templates()))
	execution := func(validate bool) *workspace.LibraryExecution {
		factory := workspace.NewLibraryExecutionFactory(silent(), workspace.TemplateLoaderOpts{}, !validate)
		return factory.New(workspace.LibraryExecutionContext{Current: library, Root: library})
	}
	// Validations of the schema may have libraries validate what they give to these. Its own
	// values are read without, so that the first that is refused does not end it.
	declared, _, err := execution(true).Schemas(nil)
	if err != nil {
		return nil
	}
	c := checker{files: r.Values}
	for _, v := range values {
		c.value(c.at(place{}, v.Doc), declared.GetDocumentType().GetValueType(), v.Doc, v.Doc.Value)
	}
	if len(c.faults) == 0 {
		c.validate(execution(false), declared, values)
	}
	return c.faults
}

// mark begins the names of the files of values, which are their numbers, where positions are
// looked for: it tells a file of the user from one of the package that has the same name.
const mark = "\x00"

// marked are the values as ytt lays them over each other, with [mark] in their positions.
func (r Request) marked() ([]*datavalues.Envelope, error) {
	r.Values = slices.Clone(r.Values)
	for i := range r.Values {
		r.Values[i].Name = mark + strconv.Itoa(i)
	}
	values, _, err := r.options().DataValuesFlags.AsOverlays(false)
	return values, err
}

// templates are the files without those that hold no templates by their mark: none
// of these declares values.
func (r Request) templates() []File {
	return slices.DeleteFunc(slices.Clone(r.Files), func(f File) bool {
		return slices.Contains(r.Marks, f.Name+":type=yaml-plain")
	})
}

// place is where a value stands: its path, the same as people read it, and the line.
type place struct {
	path []string
	name string
	file string
	line int
}

func (p place) key(key string) place {
	name := key
	if p.name != "" {
		name = p.name + "." + key
	}
	return place{path: append(slices.Clone(p.path), key), name: name}
}

func (p place) index(i int) place {
	return place{path: append(slices.Clone(p.path), strconv.Itoa(i)), name: fmt.Sprintf("%s[%d]", p.name, i)}
}

func (p place) fault() Fault { return Fault{Path: p.path, Name: p.name, File: p.file, Line: p.line} }

// checker collects faults. ytt checks types too, and returns a text with lines alone.
type checker struct {
	// files are those of the values, by the numbers of [mark].
	files  []File
	faults []Fault
}

// at adds to a place where its node stands, if a file of values has it.
func (c *checker) at(p place, node yamlmeta.Node) place {
	position := node.GetPosition()
	number, marked := strings.CutPrefix(position.GetFile(), mark)
	if i, err := strconv.Atoi(number); marked && err == nil && position.IsKnown() {
		p.file, p.line = c.files[i].Name, position.LineNum()
	}
	return p
}

func (c *checker) add(at place, format string, args ...any) {
	f := at.fault()
	f.Message = fmt.Sprintf(format, args...)
	c.faults = append(c.faults, f)
}

// value checks one value, which holder has, and those below it.
func (c *checker) value(at place, declared schema.Type, holder yamlmeta.Node, value any) {
	if null, ok := declared.(*schema.NullType); ok {
		if value == nil {
			return
		}
		declared = null.ValueType
	}
	switch declared := declared.(type) {
	case *schema.MapType:
		if m, ok := value.(*yamlmeta.Map); ok {
			c.keys(at, declared, m)
		} else {
			c.add(at, "expected a map, found %s", found(value))
		}
	case *schema.ArrayType:
		list, ok := value.(*yamlmeta.Array)
		if !ok {
			c.add(at, "expected a list, found %s", found(value))
			return
		}
		for i, item := range list.Items {
			c.value(c.at(at.index(i), item), declared.ItemsType.GetValueType(), item, item.Value)
		}
	case *schema.ScalarType:
		_, isNode := value.(yamlmeta.Node)
		if check := declared.CheckType(holder); isNode || check.HasViolations() {
			c.add(at, "expected %s, found %s", withArticle(declared.String()), found(value))
		}
	}
}

func (c *checker) keys(at place, declared *schema.MapType, m *yamlmeta.Map) {
	for _, item := range m.Items {
		key := fmt.Sprint(item.Key)
		i := slices.IndexFunc(declared.Items, func(t *schema.MapItemType) bool { return t.Key == item.Key })
		if i >= 0 {
			c.value(c.at(at.key(key), item), declared.Items[i].ValueType, item, item.Value)
			continue
		}
		f := c.at(at.key(key), item).fault()
		f.Known, f.Elsewhere = declared.AllowedKeys(), elsewhere(place{}, declared, key)
		c.faults = append(c.faults, f)
	}
}

// elsewhere are the paths below a map at which a key is declared.
func elsewhere(at place, declared *schema.MapType, key string) []string {
	var paths []string
	for _, item := range declared.Items {
		below := at.key(fmt.Sprint(item.Key))
		if item.Key == key {
			paths = append(paths, below.name)
		}
		if m, ok := item.ValueType.(*schema.MapType); ok {
			paths = append(paths, elsewhere(below, m, key)...)
		}
	}
	return paths
}

// withArticle is the name of a scalar's type in a sentence.
func withArticle(name string) string {
	if strings.HasPrefix(name, "i") || strings.HasPrefix(name, "a") {
		return "an " + name
	}
	return "a " + name
}

// longestFound is the number of characters of a text that a message repeats.
const longestFound = 60

// found is a value in a sentence.
func found(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case *yamlmeta.Map:
		return "a map"
	case *yamlmeta.Array:
		return "a list"
	case string:
		if runes := []rune(value); len(runes) > longestFound {
			return strconv.Quote(string(runes[:longestFound])) + "…"
		}
		return strconv.Quote(value)
	default:
		return fmt.Sprint(value)
	}
}

// validate runs the validations of the schema on the values over the defaults.
func (c *checker) validate(execution *workspace.LibraryExecution, declared *datavalues.Schema, values []*datavalues.Envelope) {
	merged, _, err := execution.Values(values, declared)
	if err != nil {
		c.notLaid(err)
		return
	}
	result, err := validations.Run(merged.Doc, "explain")
	if err != nil {
		return
	}
	places := map[string]place{}
	c.name(places, place{}, merged.Doc.Value)
	for _, invalid := range result.Invalidations {
		at := places[invalid.Path]
		for _, v := range invalid.Violations {
			if c.ofLibrary(places, at, v.Results) {
				continue
			}
			if v.Results == "" {
				c.add(at, "must be %s", v.Description)
			} else {
				c.add(at, "must be %s: %s", v.Description, said(strings.TrimSpace(v.Results)))
			}
		}
	}
}

// libraryReport begins what ytt reports of the values of a library, and mustBe is a line
// of it.
const libraryReport = "Validating final data values:\n"

var mustBe = regexp.MustCompile(`^ +- must be: (.*) \(by: .*\)$`)

// ofLibrary adds what is wrong with values that a validation has given to a library, and
// tells whether that is what the validation reports. ytt has only a text of it. The paths
// in the library continue that of the value with the validation.
func (c *checker) ofLibrary(places map[string]place, at place, results string) bool {
	_, report, found := strings.Cut(results, libraryReport)
	if !found {
		return false
	}
	var last *Fault
	before := len(c.faults)
	for line := range strings.Lines(report) {
		line = strings.TrimRight(line, "\n")
		switch text := strings.TrimSpace(line); {
		case strings.HasPrefix(line, "  ") && line[2:] == text:
			at := places[strings.TrimPrefix(at.name+"."+text, ".")]
			fault := at.fault()
			last = &fault
		case last == nil || text == "" || strings.HasPrefix(text, "from: "):
		case mustBe.MatchString(line):
			c.faults = append(c.faults, *last)
			c.faults[len(c.faults)-1].Message = "must be " + mustBe.FindStringSubmatch(line)[1]
		case len(c.faults) > before:
			message := &c.faults[len(c.faults)-1].Message
			*message += ": " + said(strings.TrimPrefix(text, "found: "))
		}
	}
	return len(c.faults) > before
}

// name adds the places at and below a value by ytt's own words for them.
func (c *checker) name(places map[string]place, at place, value any) {
	places[at.name] = at
	switch value := value.(type) {
	case *yamlmeta.Map:
		for _, item := range value.Items {
			c.name(places, c.at(at.key(fmt.Sprint(item.Key)), item), item.Value)
		}
	case *yamlmeta.Array:
		for i, item := range value.Items {
			c.name(places, c.at(at.index(i), item), item.Value)
		}
	}
}

// overMap is how ytt says where a map is to go over something else, which an earlier file of
// values has and no schema rules out.
var overMap = regexp.MustCompile(`(?:Document|Map item \(key '(.*?)'\)) on line ` + mark + `(\d+):(\d+): (Expected map, but was (\w+))?`)

// notLaid adds the place at which values cannot be laid over those before them. ytt has only
// a text of it.
func (c *checker) notLaid(err error) {
	var at place
	for _, match := range overMap.FindAllStringSubmatch(err.Error(), -1) {
		if match[1] != "" {
			at = at.key(match[1])
		}
		if i, err := strconv.Atoi(match[2]); err == nil && i < len(c.files) {
			at.file = c.files[i].Name
		}
		at.line, _ = strconv.Atoi(match[3])
		if match[4] != "" {
			c.add(at, "a map cannot go over what an earlier file has here, %s; write the same kind of value, or remove one of them", withArticle(match[5]))
		}
	}
}
