package ytt

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func overlaid(t *testing.T, overlay string) *OverlayError {
	t.Helper()
	_, err := Request{Explain: true, Files: []File{
		{"objects.yml", []byte("kind: Deployment\nmetadata: {name: a}\nspec:\n  list: [{name: x}]\n---\nkind: Deployment\nmetadata: {name: b}\n")},
		{"2-big-team.yml", []byte("#@ load(\"@ytt:overlay\", \"overlay\")\n#@ load(\"@ytt:assert\", \"assert\")\n" + overlay)},
	}}.Run(context.Background())
	var failed *OverlayError
	require.ErrorAs(t, err, &failed, "%v", err)
	require.Equal(t, "2-big-team.yml", failed.File)
	require.NotContains(t, failed.Error(), "following order")
	return failed
}

// TestOverlayError reads ytt's own reports: another ytt that words them otherwise
// fails here.
func TestOverlayError(t *testing.T) {
	const byName = `#@overlay/match by=overlay.subset({"kind": "Deployment", "metadata": {"name": "c", "namespace": "n"}})`
	e := overlaid(t, byName+"\n---\nspec: {}\n")
	require.Equal(t, 4, e.Line)
	require.Equal(t, byName, e.Document)
	require.Equal(t, "1", e.Want)
	require.Zero(t, e.Matches)
	require.Empty(t, e.At)
	require.Equal(t, Sought{"Deployment", "c", "n"}, e.Sought)

	e = overlaid(t, "#@overlay/match by=overlay.subset({\"kind\": \"Deployment\"}), expects=\"3+\"\n---\nspec: {}\n")
	require.Equal(t, ">= 3", e.Want)
	require.Equal(t, 2, e.Matches)

	e = overlaid(t, "#@overlay/match by=overlay.subset({\"metadata\": {\"name\": \"a\"}})\n---\nspec:\n  list:\n  #@overlay/match by=\"name\"\n  - name: y\n")
	require.Equal(t, "spec.list[]", e.At)
	require.Equal(t, 8, e.Line)
	require.Equal(t, `#@overlay/match by="name"`, e.Matcher)
	require.Equal(t, "1", e.Want)

	e = overlaid(t, "#@overlay/match by=overlay.subset({\"metadata\": {\"name\": \"a\"}})\n---\n#@overlay/replace via=lambda l, r: assert.fail(\"no way\")\nspec: 1\n")
	require.Equal(t, "spec", e.At)
	require.Empty(t, e.Want)
	require.Equal(t, "no way", strings.Split(e.Reason, "\n")[0])
	require.Contains(t, e.Error(), "no way")
	require.NotContains(t, e.Error(), "fail:")

	// what a matcher computes is not known
	e = overlaid(t, "#@ k = \"Boat\"\n#@overlay/match by=overlay.subset({\"kind\": k})\n---\nspec: {}\n")
	require.Empty(t, e.Sought)
}

// FuzzOverlayFailure: whatever ytt says, and whatever an overlay looks like, is read
// without a panic, and its end is kept.
func FuzzOverlayFailure(f *testing.F) {
	f.Add("Overlaying (in following order: a.yml): Document on line a.yml:3: Expected number of matched nodes to be 1, but was 0", "#@overlay/match by=overlay.subset({\"kind\": \"X\"})\n---\n")
	f.Add("Overlaying (in following order: a.yml): Document on line a.yml:99999999999999999999: Map item (key 'x') on line a.yml:1: no", "#@overlay/match by=((\n")
	f.Add("Overlaying (in following order: a.yml): Array item on line ?: no", "")
	f.Fuzz(func(t *testing.T, text, overlay string) {
		e := overlayFailure(text, []File{{"a.yml", []byte(overlay)}})
		if e == nil {
			return
		}
		require.Contains(t, text, e.Reason)
		require.Contains(t, e.Text, e.Reason)
		require.NotEmpty(t, e.File)
	})
}
