package devcluster

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/strake-dev/strake/tools/internal/progress"
	"github.com/strake-dev/strake/tools/internal/retry"
)

// registryPort is where the registry listens in its container; network is
// kind's, which the nodes are on.
const (
	registryPort = "5000"
	network      = "kind"
)

func (s *session) registryName() string { return s.options.Name + "-registry" }

// startRegistry runs the registry as a container beside the nodes: so it is
// reachable in the same way on every engine, outlives this process, and goes
// when the cluster goes. Its content is a volume, so a newer program serves
// what the older one stored.
func (s *session) startRegistry(ctx context.Context) error {
	program := s.options.Executable
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return fmt.Errorf("finding the running program, which serves the registry: %w", err)
		}
	}
	image, err := registryImage(program, s.options.RegistryKey)
	if err != nil {
		return err
	}
	if err := s.loadRegistryImage(ctx, image, program); err != nil {
		return err
	}
	if err := s.runRegistry(ctx, image); err != nil {
		return err
	}
	return s.findRegistry(ctx)
}

// runRegistry leaves a container alone that runs the very image, starts it
// if it is stopped, and replaces any other.
func (s *session) runRegistry(ctx context.Context, image string) error {
	name := s.registryName()
	current, err := s.engine.output(ctx, "inspect", "--type", "container", "--format", "{{.Config.Image}}", name)
	if err == nil && current == image {
		return s.startContainer(ctx, name)
	}
	if err == nil {
		progress.From(ctx).Step("replacing the registry of another version")
		if err := s.engine.Run(ctx, nil, nil, "rm", "--force", name); err != nil {
			return err
		}
		// Only the image that runs is of use.
		_ = s.engine.Run(ctx, nil, nil, "rmi", current)
	}
	return s.engine.Run(ctx, nil, nil, runArguments(name, image, s.engine.limitsMemory(ctx))...)
}

// registryMemory is far more than serving takes, and keeps a registry that
// runs wild from taking the nodes' memory.
const registryMemory = "512m"

// runArguments start the registry with what it needs and nothing more: it
// writes to its volume and to /tmp, and has no capabilities. docker, podman
// and nerdctl read them alike.
func runArguments(name, image string, limitMemory bool) []string {
	args := []string{
		"run", "--detach", "--name", name,
		"--network", network, "--restart", "unless-stopped",
		"--cap-drop", "ALL", "--security-opt", "no-new-privileges",
		"--read-only", "--tmpfs", "/tmp",
		"--volume", name + ":/data", "--publish", "127.0.0.1::" + registryPort,
	}
	if limitMemory {
		args = append(args, "--memory", registryMemory)
	}
	return append(args, image)
}

// findRegistry sets the registry's two addresses. They change when the
// container is replaced or the machine restarts, so they are asked for on
// every run.
func (s *session) findRegistry(ctx context.Context) error {
	const format = `{{with index .NetworkSettings.Networks "` + network + `"}}{{.IPAddress}}{{end}}`
	ip, err := s.engine.output(ctx, "inspect", "--type", "container", "--format", format, s.registryName())
	if err != nil {
		return err
	}
	if ip == "" {
		return fmt.Errorf("the registry %s has no address on the network %q: \"strake down\" and \"strake up\" create it again", s.registryName(), network)
	}
	s.result.RegistryCluster = ip + ":" + registryPort
	published, _ := s.engine.output(ctx, "port", s.registryName(), registryPort+"/tcp")
	s.result.RegistryPush, err = firstServing(ctx, publishedAddress(published), s.result.RegistryCluster)
	return err
}

// publishedAddress is the first line of what the engine's "port" prints,
// 127.0.0.1:PORT.
func publishedAddress(out string) string {
	first, _, _ := strings.Cut(out, "\n")
	return strings.TrimSpace(first)
}

// firstServing is the first address behind which a registry answers: the
// published port, or the container's own address where this machine is the
// one that runs it.
func firstServing(ctx context.Context, addresses ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	found := ""
	err := retry.Until(ctx, 200*time.Millisecond, nil, func(ctx context.Context) error {
		var last error
		for _, address := range addresses {
			if address == "" {
				continue
			}
			if last = serving(ctx, address); last == nil {
				found = address
				return nil
			}
		}
		return fmt.Errorf("waiting for the registry at %s: %w", strings.Join(addresses, " or "), last)
	})
	return found, err
}

// serving asks for the API's root, as the OCI distribution specification
// says; no proxy stands between this machine and its own containers.
func serving(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v2/", nil)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s returned %s", address, response.Status)
	}
	return nil
}

// hostsFile is containerd's hosts.toml for a registry that speaks plain HTTP.
func hostsFile(address string) string {
	return fmt.Sprintf("server = \"http://%[1]s\"\n\n[host.\"http://%[1]s\"]\n  capabilities = [\"pull\", \"resolve\"]\n", address)
}

// configureNodes tells every node's containerd how to speak to the registry.
// It is read at each pull, so nothing needs to be started again.
func (s *session) configureNodes(context.Context) error {
	nodes, err := s.provider.ListInternalNodes(s.options.Name)
	if err != nil {
		return fmt.Errorf("listing the nodes: %w", err)
	}
	dir := "/etc/containerd/certs.d/" + s.result.RegistryCluster
	for _, n := range nodes {
		write := n.Command("sh", "-c", `mkdir -p "$0" && cat >"$0/hosts.toml"`, dir)
		if err := write.SetStdin(strings.NewReader(hostsFile(s.result.RegistryCluster))).Run(); err != nil {
			return fmt.Errorf("writing %s/hosts.toml on the node %s: %w", dir, n, kindError(err))
		}
	}
	return nil
}
