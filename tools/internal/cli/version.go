package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildInfo is what the Go linker wrote into the program.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersion(a *app) *cobra.Command {
	var output outputFlags
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of strake",
		Long:  "Version prints the version of strake, the commit that it was built from, and the Go release that built it.",
		Example: `  strake version
  strake version -o json`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: a.around(func(*cobra.Command, []string) error {
			info := readBuildInfo()
			return output.print(a.out(), info, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "strake %s %s %s %s\n", info.Version, info.Revision, info.Go, info.Platform)
				return err
			})
		}),
	}
	output.add(cmd)
	return cmd
}

func readBuildInfo() buildInfo {
	info := buildInfo{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	built, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	if built.Main.Version != "" {
		info.Version = built.Main.Version
	}
	for _, setting := range built.Settings {
		switch setting.Key {
		case "vcs.revision":
			info.Revision = setting.Value
		case "vcs.modified":
			info.Modified = setting.Value == "true"
		}
	}
	return info
}
