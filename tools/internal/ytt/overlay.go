package ytt

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/k14s/starlark-go/syntax"
)

// OverlayError is an overlay that ytt could not apply. Fields below File say what
// ytt's text says, which is the only place where it does.
type OverlayError struct {
	// File and Line are where the overlay stands, by the name that ytt was given.
	File string
	Line int
	// At is the place in the overlay's document, spec.replicas; it is empty for the
	// document, which matches objects.
	At string
	// Matcher is the annotation that chooses what is changed there, and Document the
	// one of the document. They are empty where ytt was given none, or made the overlay.
	Matcher, Document string
	// Want is the number of matches that ytt wanted, in its words, and Matches what it
	// found; Want is empty where something else is wrong.
	Want    string
	Matches int
	// Reason is the end of ytt's text: what is wrong with the place.
	Reason string
	// Sought are the texts that the document's matcher compares kind, name and
	// namespace with, as far as it has them literally.
	Sought Sought
	// Nearest are objects that help to correct the matcher: the ones that resemble what
	// it seeks, or those that it matches. Whoever knows the objects fills it in.
	Nearest []string
	// Text is ytt's report without the list of all files.
	Text string
}

// Error returns ytt's report.
func (e *OverlayError) Error() string { return e.Text }

// Sought is what a matcher names of an object. Empty fields match anything.
type Sought struct{ Kind, Name, Namespace string }

// overlayOrder begins ytt's report of overlays: the names of all files that have some.
var (
	overlayOrder = regexp.MustCompile(`^Overlaying \(in following order: [^()]*\): `)
	overlayPlace = regexp.MustCompile(`^(?:Document|Array item|Map item \(key '([^']*)'\)) on line ([^\s:]+):(\d+): `)
	matchCount   = regexp.MustCompile(`^Expected number of matched nodes to be (.+), but was (\d+)(?: \(lines: .*\))?$`)
)

// overlayFailure reads ytt's report of an overlay, or returns nil where it is about
// something else or is written in an unknown way.
func overlayFailure(text string, list []File) *OverlayError {
	order := overlayOrder.FindString(text)
	if order == "" {
		return nil
	}
	rest := text[len(order):]
	e := &OverlayError{Text: "Overlaying: " + rest}
	var keys []string
	depth := 0
	for ; ; depth++ {
		match := overlayPlace.FindStringSubmatch(rest)
		if match == nil {
			break
		}
		line, err := strconv.Atoi(match[3])
		if err != nil {
			return nil //nolint:nilerr // a number that is none is no place: the text is not ytt's
		}
		e.File, e.Line, rest = match[2], line, rest[len(match[0]):]
		text := source(list, e.File)
		e.Matcher = matcherAbove(text, line)
		switch {
		case depth == 0:
			e.Document, e.Sought = e.Matcher, sought(e.Matcher)
		case match[1] != "":
			keys = append(keys, match[1])
		default:
			keys = append(keys, "[]")
		}
	}
	if depth == 0 {
		return nil
	}
	e.At, e.Reason = strings.ReplaceAll(strings.Join(keys, "."), ".[]", "[]"), strings.TrimSpace(rest)
	if match := matchCount.FindStringSubmatch(e.Reason); match != nil {
		e.Want = match[1]
		e.Matches, _ = strconv.Atoi(match[2])
	}
	return e
}

func source(list []File, name string) []byte {
	i := slices.IndexFunc(list, func(f File) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return list[i].Data
}

// matcherAbove is the annotation overlay/match among those that stand above a line.
func matcherAbove(text []byte, line int) string {
	lines := strings.Split(string(text), "\n")
	for i := min(line-1, len(lines)) - 1; i >= 0; i-- {
		annotation := strings.TrimSpace(lines[i])
		if !strings.HasPrefix(annotation, "#") {
			return ""
		}
		if rest, ok := strings.CutPrefix(annotation, "#@overlay/match"); ok && strings.HasPrefix(rest, " ") {
			return annotation
		}
	}
	return ""
}

// sought reads the literal texts out of a matcher such as
// overlay.subset({"kind": "Deployment", "metadata": {"name": "keda-operator"}}).
func sought(matcher string) Sought {
	arguments := strings.TrimPrefix(matcher, "#@overlay/match")
	expression, err := syntax.ParseExpr("matcher", "match("+arguments+")", 0)
	if err != nil {
		return Sought{}
	}
	var s Sought
	syntax.Walk(expression, func(n syntax.Node) bool {
		if dict, ok := n.(*syntax.DictExpr); ok {
			for _, entry := range dict.List {
				s.take(entry)
			}
		}
		return true
	})
	return s
}

func (s *Sought) take(e syntax.Expr) {
	entry, ok := e.(*syntax.DictEntry)
	if !ok {
		return
	}
	switch value := literal(entry.Value); literal(entry.Key) {
	case "kind":
		s.Kind = value
	case "name":
		s.Name = value
	case "namespace":
		s.Namespace = value
	}
}

// literal is the text of an expression that is one.
func literal(e syntax.Expr) string {
	l, ok := e.(*syntax.Literal)
	if !ok {
		return ""
	}
	text, _ := l.Value.(string)
	return text
}
