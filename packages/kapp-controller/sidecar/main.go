// Program sidecar runs the commands by which kapp-controller fetches and renders, in
// the container in which upstream runs `kapp-controller --sidecarexec`. It serves the
// same calls, by upstream's own packages.
//
// It is there because upstream's 0.51 waits for all children of the process beside the
// calls, which wait for their own: now and then it takes the end of a ytt or kbld from
// the call that waits for that, and the App fails with "waitid: no child processes".
// The more Apps reconcile at once, and the busier the node, the more often. Later
// releases run under an init of their own:
// https://github.com/carvel-dev/kapp-controller/pull/1806.
package main

import (
	"log/slog"
	"os"

	"github.com/go-logr/logr"
	"github.com/vmware-tanzu/carvel-kapp-controller/pkg/exec"
	"github.com/vmware-tanzu/carvel-kapp-controller/pkg/sidecarexec"
)

// commands are those that upstream's sidecar allows: vendir for fetching, the others
// for rendering.
var commands = []string{"vendir", "ytt", "kbld", "sops", "helm", "cue"}

func main() {
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stderr, nil)))
	if os.Getpid() == 1 {
		code, err := supervise(append([]string{"/proc/self/exe"}, os.Args[1:]...))
		if err != nil {
			slog.Error("running the server of the sidecar", "error", err)
		}
		os.Exit(code)
	}
	if err := serve(); err != nil {
		slog.Error("serving kapp-controller", "error", err)
		os.Exit(1)
	}
}

// serve answers at the socket that KAPPCTRL_SIDECAREXEC_SOCK names.
func serve() error {
	log := logr.FromSlogHandler(slog.Default().Handler())
	options := sidecarexec.ServerOpts{AllowedCmdNames: commands}
	return sidecarexec.NewServer(exec.NewPlainCmdRunner(), options, log).Serve()
}
