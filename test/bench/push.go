package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// benchPush compares `strake push` of one 200 MB image with the same by crane,
// skopeo and imgpkg, each into an empty registry.
func (b *bench) benchPush(ctx context.Context) error {
	checkout, env, err := b.makeLarge()
	if err != nil {
		return err
	}
	for _, args := range [][]string{{"images", "lock"}, {"build"}} {
		prepare := command{dir: checkout, env: env, args: append([]string{b.strake, "--quiet"}, args...)}
		if _, err := prepare.run(ctx); err != nil {
			return err
		}
	}
	strake := func(repository string) command {
		return command{dir: checkout, env: env, args: []string{b.strake, "push", "--quiet", "--to", repository}}
	}
	peers, err := b.pushPeers(ctx, strake)
	if err != nil {
		return err
	}
	contenders := []contender{b.pushes("strake", strake)}
	for _, peer := range []string{"crane", "skopeo", "imgpkg"} {
		if peers[peer] != nil {
			contenders = append(contenders, b.pushes(peer, peers[peer]))
		}
	}
	all, err := b.compare(ctx, contenders...)
	if err != nil {
		return err
	}
	b.report.rows("push of 200 MB", contenders, all)
	return nil
}

// pushes is a tool that pushes, each time into a registry that has nothing.
// What was pushed is removed, so that the disk does not fill round by round.
func (b *bench) pushes(tool string, push func(repository string) command) contender {
	return contender{tool, func(ctx context.Context) (sample, error) {
		name := "push-registry"
		defer os.RemoveAll(filepath.Join(b.dir, name))
		r, err := b.serve(ctx, name)
		if err != nil {
			return sample{}, err
		}
		defer r.stop()
		return push(r.address + "/strake/bench").run(ctx)
	}}
}

// pushPeers returns the peers' commands, on a copy of the same image that
// each tool can read: an OCI layout, or for imgpkg the random bytes themselves.
func (b *bench) pushPeers(ctx context.Context, strake func(string) command) (map[string]func(string) command, error) {
	random := filepath.Join(b.dir, "large-module", "random")
	peers := map[string]func(string) command{
		"imgpkg": func(repository string) command {
			return command{args: []string{b.tools["imgpkg"], "push", "-i", repository + ":large", "-f", random}}
		},
	}
	layout, err := b.pullLayout(ctx, strake)
	if err != nil {
		return nil, err
	}
	peers["crane"] = func(repository string) command {
		return command{args: []string{b.tools["crane"], "push", "--index", layout, repository + ":large"}}
	}
	if b.tools["skopeo"] != "" {
		peers["skopeo"] = func(repository string) command {
			return command{args: []string{b.tools["skopeo"], "--insecure-policy", "copy", "--all", "--dest-tls-verify=false", "oci:" + layout, "docker://" + repository + ":large"}}
		}
	}
	return peers, nil
}

// pullLayout brings the image out of a registry as an OCI layout.
func (b *bench) pullLayout(ctx context.Context, strake func(string) command) (string, error) {
	r, err := b.serve(ctx, "source-registry")
	if err != nil {
		return "", err
	}
	defer r.stop()
	repository, layout := r.address+"/strake/bench", filepath.Join(b.dir, "layout")
	if _, err := strake(repository).run(ctx); err != nil {
		return "", err
	}
	digest, err := b.largeDigest(ctx)
	if err != nil {
		return "", err
	}
	_, err = command{args: []string{b.tools["crane"], "pull", "--format", "oci", repository + "@" + digest, layout}}.run(ctx)
	return layout, err
}

// largeDigest is the locked digest of the fixture's image.
func (b *bench) largeDigest(ctx context.Context) (string, error) {
	list := command{dir: filepath.Join(b.dir, "large"), args: []string{b.strake, "images", "list", "-o", "json", "--quiet"}}
	out, _, err := list.output(ctx)
	if err != nil {
		return "", err
	}
	var rows []struct{ Digest string }
	if err := json.Unmarshal(out, &rows); err != nil {
		return "", fmt.Errorf("reading the list of images: %w", err)
	}
	if len(rows) != 1 {
		return "", fmt.Errorf("the fixture has %d images instead of one", len(rows))
	}
	return rows[0].Digest, nil
}
