package devcluster

import (
	"context"
	"fmt"
)

// serviceSubnet is kind's default; services have their addresses in it.
const serviceSubnet = "10.96.0.0/16"

// fenceScript adds a rule to a chain unless it is there.
const fenceScript = `for chain in OUTPUT FORWARD; do
  iptables -C "$chain" -d "$0" -j REJECT 2>/dev/null || iptables -A "$chain" -d "$0" -j REJECT
done`

// fenceServices refuses, on every node, what still has a service's address
// after kube-proxy's rules: the service is so new that it has none yet.
// Without this the packet leaves for the outside by the default route. Where
// a proxy there answers for every address, the API server keeps that
// connection, and an aggregated API such as kapp-controller's never becomes
// available. The rules go when a node stops, so every run sets them.
func (s *session) fenceServices(context.Context) error {
	nodes, err := s.provider.ListInternalNodes(s.options.Name)
	if err != nil {
		return fmt.Errorf("listing the nodes: %w", err)
	}
	for _, n := range nodes {
		if err := n.Command("sh", "-c", fenceScript, serviceSubnet).Run(); err != nil {
			return fmt.Errorf("fencing the services' addresses on the node %s: %w", n, kindError(err))
		}
	}
	return nil
}
