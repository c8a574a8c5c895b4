package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const goodCosts = "calibration: 200\nbuild: 8\nimage: 20\nimages:\n  boat: {hull: 90}\nnode:\n  etcd: 40\nmodules: {boat: 70, etcd: 20}\n"

func TestLoadCosts(t *testing.T) {
	c, err := Load(good().with(CostsFile, goodCosts).write(t))
	require.NoError(t, err)
	require.Equal(t, 90, c.Costs.Compile("boat", "hull"))
	require.Equal(t, typicalCost, c.Costs.Compile("boat", "mast"), "nothing is recorded")
	require.Equal(t, 40, c.Costs.Program("etcd"))
	require.Equal(t, 70, c.Costs.Download("boat"))
	require.Equal(t, typicalModules, c.Costs.Download("raft"))

	c, err = Load(good().write(t))
	require.NoError(t, err)
	require.Equal(t, typicalCost, c.Costs.Compile("boat", "hull"), "the file may be missing")
}

func TestLoadCostsErrors(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"package":       {"boat:", "bote:", CostsFile + `:5: package "bote" is not in packages/; did you mean boat?`},
		"image":         {"hull:", "keel:", CostsFile + `:5: boat has no image "keel"; remove the line`},
		"unknown field": {"node:", "nodes:", CostsFile + `:6: unknown field "nodes"; did you mean node?`},
		"modules":       {"boat: 70", "bote: 70", CostsFile + `:8: "bote" is neither a package nor a part of the node image; did you mean boat?`},
		"number":        {"90", "soon", CostsFile + `:5: field "images.boat.hull" must be a whole number`},
		"nothing":       {"build: 8", "build: 0", CostsFile + `:2: build must be more than 0`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(good().with(CostsFile, goodCosts).edit(t, CostsFile, test.old, test.new).write(t))
			require.ErrorContains(t, err, test.want)
		})
	}
}
