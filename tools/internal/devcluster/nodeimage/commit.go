package nodeimage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/strake-dev/strake/tools/internal/retry"
)

// importImages starts the base image's own containerd in a container and
// gives it the control plane's images. They stay packed, as in kind's
// published images: the node unpacks what it starts.
func (b *build) importImages(ctx context.Context) error {
	_ = b.engine.Run(ctx, nil, nil, "rm", "--force", b.container) // of a run that was killed
	if err := b.engine.Run(ctx, nil, nil, "run", "--detach", "--privileged", "--name", b.container,
		"--entrypoint", "sleep", b.base(), "infinity"); err != nil {
		return fmt.Errorf("starting the base image: %w", err)
	}
	if err := b.engine.Run(ctx, nil, nil, "exec", "--detach", b.container, "containerd"); err != nil {
		return fmt.Errorf("starting containerd in it: %w", err)
	}
	if err := b.waitForContainerd(ctx); err != nil {
		return err
	}
	archive, err := os.Open(b.images)
	if err != nil {
		return fmt.Errorf("opening the control plane's images: %w", err)
	}
	defer archive.Close()
	err = b.engine.Run(ctx, archive, nil, "exec", "--interactive", b.container,
		"ctr", "--namespace", "k8s.io", "images", "import",
		"--label", "io.cri-containerd.pinned=pinned", "--all-platforms", "--no-unpack", "--digests", "-")
	if err != nil {
		return fmt.Errorf("importing the control plane's images: %w", err)
	}
	return nil
}

func (b *build) waitForContainerd(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return retry.Until(ctx, 300*time.Millisecond, nil, func(ctx context.Context) error {
		if err := b.engine.Run(ctx, nil, nil, "exec", b.container, "ctr", "--timeout", "2s", "version"); err != nil {
			return fmt.Errorf("waiting for containerd in the base image: %w", err)
		}
		return nil
	})
}

// commit ends containerd cleanly, so that its database is whole, and keeps
// the container as the node image.
func (b *build) commit(ctx context.Context) error {
	const stop = "kill $(pidof containerd); while pidof containerd >/dev/null; do sleep 0.1; done; rm -rf /run/containerd"
	if err := b.engine.Run(ctx, nil, nil, "exec", b.container, "sh", "-c", stop); err != nil {
		return fmt.Errorf("ending containerd in the base image: %w", err)
	}
	command, err := json.Marshal(entrypoint())
	if err != nil {
		return fmt.Errorf("writing the entry point: %w", err)
	}
	err = b.engine.Run(ctx, nil, nil, "commit", "--change", "ENTRYPOINT "+string(command), "--change", "CMD []", b.container, b.reference)
	if err != nil {
		return fmt.Errorf("keeping the node image as %s: %w", b.reference, err)
	}
	return nil
}

// prune removes images that other inputs gave, a gigabyte each. The engine
// refuses what a cluster uses, and then it stays.
func (b *build) prune(ctx context.Context) error {
	for _, repository := range []string{Repository, BaseRepository} {
		var list bytes.Buffer
		err := b.engine.Run(ctx, nil, &list, "images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", "reference="+repository)
		if err != nil {
			return fmt.Errorf("listing node images: %w", err)
		}
		for _, reference := range strings.Fields(list.String()) {
			if strings.HasPrefix(reference, repository+":") && reference != repository+":"+b.key {
				_ = b.engine.Run(ctx, nil, nil, "rmi", reference)
			}
		}
	}
	return nil
}
