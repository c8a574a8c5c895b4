package platform

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/gocache"
)

// TestClears: what was compiled goes when all images are made, whatever becomes of them.
func TestClears(t *testing.T) {
	images := errors.New("compiling")
	for name, test := range map[string]struct {
		images, install error
		left            bool
	}{
		"all made":        {nil, nil, false},
		"install failed":  {nil, errors.New("installing"), false},
		"one is not made": {images, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("STRAKE_CACHE", t.TempDir())
			store := filepath.Join(os.Getenv("STRAKE_CACHE"), gocache.Kind, "store.part")
			require.NoError(t, os.MkdirAll(store, 0o755))
			returns := func(err error) func(context.Context, *state) error {
				return func(context.Context, *state) error { return err }
			}
			o := &outline{}
			made := o.add(task{says: "images", do: returns(test.images)})
			o.add(task{says: "install", do: returns(test.install), after: []*task{made}})
			o.compiling = []*task{made}
			o.clears()
			err := run(t.Context(), o.tasks, &state{})
			require.Equal(t, test.images == nil && test.install == nil, err == nil)
			_, err = os.Stat(store)
			require.Equal(t, test.left, err == nil)
		})
	}
}

// TestAllThatCompilesIsWaitedFor before what was compiled goes.
func TestAllThatCompilesIsWaitedFor(t *testing.T) {
	c := newCatalog(t)
	c.Repository.Storage = "draft"
	plan, err := New(c, Options{Packages: versions(t, c, "app@1.0.0", "extra"), Namespace: "here"})
	require.NoError(t, err)
	tasks := plan.outline()
	var says []string
	for _, before := range tasks[len(tasks)-1].follows {
		says = append(says, before.says)
	}
	require.ElementsMatch(t, []string{
		"", "create the cluster and its registry", "build the images of boot 1.0.0", "build the images of app 1.0.0",
		"build the images of extra 0.1.0", "deploy draft 0.1.0 with kapp, if the cluster has no storage",
	}, says)
}
