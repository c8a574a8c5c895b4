package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const goodCosts = "calibration: 200\ndisk: 8\nimages:\n  boat: {hull: 90}\nnode:\n  etcd: 40\n"

func TestLoadCosts(t *testing.T) {
	c, err := Load(good().with(CostsFile, goodCosts).write(t))
	require.NoError(t, err)
	require.Equal(t, 90, c.Costs.Image("boat", "hull"))
	require.Equal(t, typicalCost, c.Costs.Image("boat", "mast"), "nothing is recorded")
	require.Equal(t, 40, c.Costs.Program("etcd"))

	c, err = Load(good().write(t))
	require.NoError(t, err)
	require.Equal(t, typicalCost, c.Costs.Image("boat", "hull"), "the file may be missing")
}

func TestLoadCostsErrors(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"package":       {"boat:", "bote:", CostsFile + `:4: package "bote" is not in packages/; did you mean boat?`},
		"image":         {"hull:", "keel:", CostsFile + `:4: boat has no image "keel"; remove the line`},
		"unknown field": {"node:", "nodes:", CostsFile + `:5: unknown field "nodes"; did you mean node?`},
		"number":        {"90", "soon", CostsFile + `:4: field "images.boat.hull" must be a whole number`},
		"nothing":       {"disk: 8", "disk: 0", CostsFile + `:2: disk must be more than 0`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(good().with(CostsFile, goodCosts).edit(t, CostsFile, test.old, test.new).write(t))
			require.ErrorContains(t, err, test.want)
		})
	}
}
