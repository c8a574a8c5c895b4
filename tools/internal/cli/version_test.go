package cli

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuildInfo(t *testing.T) {
	recorded := &debug.BuildInfo{
		Main:     debug.Module{Version: "v0.2.0"},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "aaa"}, {Key: "vcs.modified", Value: "true"}},
	}
	for _, test := range []struct {
		name   string
		built  *debug.BuildInfo
		linked string
		says   string
	}{
		{"make", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "bbb", "strake (devel) bbb"},
		{"make, with changes", &debug.BuildInfo{}, "bbb-dirty", "strake (devel) bbb-dirty"},
		{"make without git", &debug.BuildInfo{}, "", "strake (devel)"},
		{"go build", recorded, "", "strake v0.2.0 aaa-dirty"},
		{"both", recorded, "bbb", "strake v0.2.0 bbb"},
		{"nothing known", nil, "", "strake (devel)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			require.Equal(t, test.says+" "+runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH, newBuildInfo(test.built, test.linked).String())
		})
	}
}
