package bundle

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/strake-dev/strake/tools/internal/manifest"
	"github.com/strake-dev/strake/tools/internal/names"
	"github.com/strake-dev/strake/tools/internal/ytt"
)

// mostNearest is how many objects an error names.
const mostNearest = 8

// nearest tells a user's overlay that matches no object, or too many, which ones there
// are. It renders again, without that overlay and those after it.
func (r yttRequest) nearest(ctx context.Context, err error) {
	var failed *ytt.OverlayError
	if !errors.As(err, &failed) || failed.Want == "" || failed.At != "" || r.overlays[failed.File] == nil || failed.Sought == (ytt.Sought{}) {
		return
	}
	before := maps.Clone(r.overlays)
	maps.DeleteFunc(before, func(name string, _ []byte) bool { return name >= failed.File })
	r.overlays = before
	objects, err := rendered(ctx, r)
	if err != nil {
		return // the overlay's own error stands
	}
	if failed.Matches == 0 {
		failed.Nearest = near(objects, failed.Sought)
		return
	}
	if matched := matching(objects, failed.Sought); len(matched) == failed.Matches {
		failed.Nearest = short(matched)
	}
}

// near are the objects of the kind sought with the nearest names, else those of the
// name and another kind, else all of that kind, else those of the nearest kind.
func near(objects []manifest.Object, s ytt.Sought) []string {
	if s.Name != "" {
		if found := likeNames(objects, s); len(found) > 0 {
			return short(found)
		}
		if found := matching(objects, ytt.Sought{Name: s.Name}); len(found) > 0 {
			return short(found)
		}
	}
	if found := matching(objects, ytt.Sought{Kind: s.Kind}); s.Kind != "" && len(found) > 0 {
		return short(found)
	}
	var found []string
	for _, kind := range names.Near(s.Kind, kinds(objects)) {
		found = append(found, matching(objects, ytt.Sought{Kind: kind})...)
	}
	return short(found)
}

// likeNames are the objects of the kind, and of any namespace, whose names are
// nearest.
func likeNames(objects []manifest.Object, s ytt.Sought) []string {
	var known []string
	for _, o := range objects {
		if s.Kind == "" || o.GetKind() == s.Kind {
			known = append(known, o.GetName())
		}
	}
	slices.Sort(known)
	var found []string
	for _, name := range names.Near(s.Name, slices.Compact(known)) {
		found = append(found, matching(objects, ytt.Sought{Kind: s.Kind, Name: name})...)
	}
	return found
}

func kinds(objects []manifest.Object) []string {
	found := map[string]bool{}
	for _, o := range objects {
		found[o.GetKind()] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func matching(objects []manifest.Object, s ytt.Sought) []string {
	var found []string
	for _, o := range objects {
		if (s.Kind == "" || o.GetKind() == s.Kind) && (s.Name == "" || o.GetName() == s.Name) && (s.Namespace == "" || o.GetNamespace() == s.Namespace) {
			found = append(found, strings.TrimSpace(o.GetKind()+" "+strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/")))
		}
	}
	return found
}

// short is the beginning of a list that may be long.
func short(list []string) []string {
	if len(list) > mostNearest {
		return append(list[:mostNearest:mostNearest], "…")
	}
	return list
}
