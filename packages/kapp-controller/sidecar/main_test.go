package main

import (
	"net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/vmware-tanzu/carvel-kapp-controller/pkg/sidecarexec"
)

// TestNoEndOfACommandIsLost runs commands as kapp-controller has them run, many at a
// time, for some seconds. Upstream's 0.51 looks once a second for ends that it takes
// from others, and takes some each time.
func TestNoEndOfACommandIsLost(t *testing.T) {
	const atOnce, lasting = 16, 4 * time.Second
	client := connect(t, startServer(t))
	deadline := time.Now().Add(lasting)
	var all sync.WaitGroup
	failures := make([]string, atOnce)
	for i := range atOnce {
		all.Go(func() {
			for time.Now().Before(deadline) {
				var output sidecarexec.CmdOutput
				if err := client.Call("CmdExec.Run", sidecarexec.CmdInput{Command: "ytt"}, &output); err != nil {
					output.Error = err.Error()
				}
				if output.Error != "" {
					failures[i] = output.Error
					return
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, make([]string, atOnce), failures)
}

func TestOnlyItsCommandsRun(t *testing.T) {
	client := connect(t, startServer(t))
	var output sidecarexec.CmdOutput
	require.ErrorContains(t, client.Call("CmdExec.Run", sidecarexec.CmdInput{Command: "sh"}, &output), "Command 'sh' is not allowed")
}

// startServer answers with the socket of a server as it runs in a container, whose ytt
// ends at once.
func startServer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	socket := filepath.Join(dir, "socket")
	yes, err := exec.LookPath("true")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(yes, filepath.Join(dir, "ytt")))
	server := underInit("/proc/self/exe", asServer)
	server.Env = append(server.Env, "PATH="+dir, "KAPPCTRL_SIDECAREXEC_SOCK="+socket)
	server.Stderr = os.Stderr
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		require.NoError(t, server.Process.Signal(os.Interrupt))
		_ = server.Wait()
	})
	return socket
}

func connect(t *testing.T, socket string) *rpc.Client {
	t.Helper()
	var client *rpc.Client
	require.Eventually(t, func() (ok bool) {
		var err error
		client, err = rpc.DialHTTP("unix", socket)
		return err == nil
	}, 10*time.Second, 20*time.Millisecond)
	t.Cleanup(func() { _ = client.Close() })
	return client
}
