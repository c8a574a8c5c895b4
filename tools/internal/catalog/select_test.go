package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func selectable() *Catalog {
	keda := &Package{Name: "keda"}
	keda.Versions = []*Version{{Package: keda, Version: "2.20.2"}, {Package: keda, Version: "2.21.0"}}
	boat := &Package{Name: "boat"}
	boat.Versions = []*Version{{Package: boat, Version: "1.0.0"}}
	return &Catalog{Packages: []*Package{boat, keda}}
}

func TestSelect(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want []string
	}{
		{"all", nil, []string{"boat 1.0.0", "keda 2.20.2", "keda 2.21.0"}},
		{"a package", []string{"keda"}, []string{"keda 2.20.2", "keda 2.21.0"}},
		{"a version", []string{"keda@2.21.0"}, []string{"keda 2.21.0"}},
		{"in the catalog's order, once", []string{"keda@2.21.0", "keda", "boat"}, []string{"boat 1.0.0", "keda 2.20.2", "keda 2.21.0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			versions, err := selectable().Select(tt.args)
			require.NoError(t, err)
			var ids []string
			for _, v := range versions {
				ids = append(ids, v.ID())
			}
			require.Equal(t, tt.want, ids)
		})
	}
}

func TestSelectErrors(t *testing.T) {
	versions, err := selectable().Select([]string{"kedda", "keda@3.0.0", "boat", "boat@"})
	require.Nil(t, versions)
	require.EqualError(t, err, `no package "kedda"; known: boat, keda
package keda has no version "3.0.0"; known: 2.20.2, 2.21.0
package boat has no version ""; known: 1.0.0`)
}
