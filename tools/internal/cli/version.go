package cli

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// commit is what the Makefile gives the linker (-X): the commit, with -dirty after
// it where files differ. It is empty without git, and by "go build" and "go install",
// which record the commit themselves.
//
//nolint:gochecknoglobals // the linker can set nothing else
var commit string

// dirty ends a commit that the built files differ from, as "git describe" has it.
const dirty = "-dirty"

// buildInfo is what is known of the program's build.
type buildInfo struct {
	Version string `json:"version"`
	// Revision is the commit; empty where nobody knows.
	Revision string `json:"revision,omitempty"`
	// Modified tells that the built files differ from the commit's.
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
				_, err := fmt.Fprintln(w, info)
				return err
			})
		}),
	}
	output.add(cmd)
	return cmd
}

// String is the line that "strake version" and "strake --version" print.
func (b buildInfo) String() string {
	words := []string{"strake", b.Version}
	if b.Revision != "" {
		revision := b.Revision
		if b.Modified {
			revision += dirty
		}
		words = append(words, revision)
	}
	return strings.Join(append(words, b.Go, b.Platform), " ")
}

func readBuildInfo() buildInfo {
	built, _ := debug.ReadBuildInfo()
	return newBuildInfo(built, commit)
}

// newBuildInfo prefers the commit that the linker was given to Go's own record.
func newBuildInfo(built *debug.BuildInfo, linked string) buildInfo {
	info := buildInfo{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if built != nil {
		info.Version = cmp.Or(built.Main.Version, info.Version)
		for _, setting := range built.Settings {
			switch setting.Key {
			case "vcs.revision":
				info.Revision = setting.Value
			case "vcs.modified":
				info.Modified = setting.Value == "true"
			}
		}
	}
	if linked != "" {
		info.Revision, info.Modified = strings.CutSuffix(linked, dirty)
	}
	return info
}
