package test

import (
	"net"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// hostAddress is this machine's address in the network of the nodes.
func hostAddress(t *testing.T, c *cluster) string {
	t.Helper()
	nodes, err := c.typed.CoreV1().Nodes().List(lasting(t), metav1.ListOptions{})
	require.NoError(t, err)
	require.NotEmpty(t, nodes.Items)
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	for _, node := range nodes.Items[0].Status.Addresses {
		for _, address := range addresses {
			network, ok := address.(*net.IPNet)
			if ok && network.Contains(net.ParseIP(node.Address)) {
				return network.IP.String()
			}
		}
	}
	t.Skipf("SKIPPED: no interface of this machine is in the nodes' network %v, so pods cannot reach this test", nodes.Items[0].Status.Addresses)
	return ""
}

// busy is for how long the processors of this machine, taken together, have worked
// since it began. The work of the nodes, which are its containers, is a part of that.
func busy(t *testing.T) time.Duration {
	t.Helper()
	proc, err := procfs.NewDefaultFS()
	require.NoError(t, err)
	stat, err := proc.Stat()
	require.NoError(t, err)
	all := stat.CPUTotal
	return time.Duration((all.User + all.Nice + all.System + all.IRQ + all.SoftIRQ) * float64(time.Second))
}
