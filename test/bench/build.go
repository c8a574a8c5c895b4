package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// benchBuild compares `strake build` of all packages with the same work by the
// Carvel tools, one after the other as a shell loop would start them.
func (b *bench) benchBuild(ctx context.Context) error {
	unchanged, err := b.copyCheckout("build")
	if err != nil {
		return err
	}
	changed, err := b.copyCheckout("build-changed")
	if err != nil {
		return err
	}
	loop, stop, err := b.loop(ctx)
	if err != nil {
		return err
	}
	defer stop()
	build := []string{b.strake, "build", "--quiet", "--root"}
	overlay := filepath.Join(changed, "packages", "keda", "config", "overlays", "logging.yml")
	all, err := b.compare(ctx,
		contender{"strake", command{args: append(slices.Clone(build), unchanged)}.run},
		contender{"strake", func(ctx context.Context) (sample, error) {
			if err := touch(overlay); err != nil {
				return sample{}, err
			}
			return command{args: append(slices.Clone(build), changed, "--force-rewrite")}.run(ctx)
		}},
		contender{"ytt+kbld+imgpkg", loop.run},
	)
	if err != nil {
		return err
	}
	for i, work := range []string{"build, nothing changed", "build, an overlay changed"} {
		b.report.row(work, "strake", all[i], all[i])
		b.report.row(work, "ytt+kbld+imgpkg", all[2], all[i])
	}
	return nil
}

// copyCheckout copies what a build reads, so that the bench changes nothing.
func (b *bench) copyCheckout(name string) (string, error) {
	to := filepath.Join(b.dir, name)
	for _, part := range []string{"packages", "repo"} {
		if err := os.CopyFS(filepath.Join(to, part), os.DirFS(filepath.Join(b.checkout, part))); err != nil {
			return "", fmt.Errorf("copying %s: %w", part, err)
		}
	}
	return to, nil
}

// touch changes an overlay's bytes and nothing of what it does.
func touch(file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintf(f, "#! %d\n", time.Now().UnixNano())
	return err
}

// loop does by ytt, kbld and imgpkg what a build does for each version: render
// the values schema and the defaults, lock the images, push the bundle; and
// then the same for the repository. The registry that it pushes to serves until
// stop is called.
func (b *bench) loop(ctx context.Context) (all commands, stop func(), err error) {
	r, err := b.serve(ctx, "loop-registry")
	if err != nil {
		return nil, nil, err
	}
	repository := r.address + "/strake/platform"
	if err = b.pushBundles(ctx, repository); err == nil {
		var bundles []string
		bundles, err = b.pullBundles(ctx, repository)
		for _, dir := range bundles {
			all = append(all, b.buildByHand(dir, repository)...)
		}
	}
	if err != nil {
		r.stop()
		return nil, nil, err
	}
	return all, r.stop, nil
}

func (b *bench) pushBundles(ctx context.Context, repository string) error {
	push := command{dir: b.checkout, args: []string{b.strake, "push", "--quiet", "--no-images", "--to", repository}}
	_, err := push.run(ctx)
	return err
}

// pullBundles returns the folders of all bundles, the repository's last.
func (b *bench) pullBundles(ctx context.Context, repository string) ([]string, error) {
	tags := command{args: []string{b.tools["crane"], "ls", repository}}
	out, _, err := tags.output(ctx)
	if err != nil {
		return nil, err
	}
	var folders []string
	for tag := range strings.FieldsSeq(string(out)) {
		folder := filepath.Join(b.dir, "loop", tag)
		pull := command{args: []string{b.tools["imgpkg"], "pull", "-b", repository + ":" + tag, "-o", folder}}
		if _, err := pull.run(ctx); err != nil {
			return nil, err
		}
		folders = append(folders, folder)
	}
	return folders, nil
}

// buildByHand are the commands for a pulled bundle: the repository's, or with a
// config folder a package's.
func (b *bench) buildByHand(dir, repository string) commands {
	kbld := func(config string) command {
		return command{args: []string{b.tools["kbld"], "-f", config, "-f", filepath.Join(dir, ".imgpkg"), "--imgpkg-lock-output", filepath.Join(b.dir, "lock.yml")}}
	}
	push := command{args: []string{b.tools["imgpkg"], "push", "-b", repository + ":loop", "-f", dir}}
	config := filepath.Join(dir, "config")
	if _, err := os.Stat(config); err != nil {
		return commands{kbld(filepath.Join(dir, "packages")), push}
	}
	// A folder a bundle: ytt leaves in it what it does not write itself.
	rendered := filepath.Join(b.dir, "rendered", filepath.Base(dir))
	return commands{
		{args: []string{b.tools["ytt"], "-f", config, "--data-values-schema-inspect", "-o", "openapi-v3"}},
		{args: []string{b.tools["ytt"], "-f", config, "--output-files", rendered}},
		kbld(rendered),
		push,
	}
}

// benchReproducible builds in two folders with two empty caches.
func (b *bench) benchReproducible(ctx context.Context) error {
	var outputs [2][]byte
	for i := range outputs {
		name := fmt.Sprintf("clean-%d", i)
		checkout, err := b.copyCheckout(name)
		if err != nil {
			return err
		}
		build := command{
			env:  []string{"STRAKE_CACHE=" + filepath.Join(b.dir, name+"-cache")},
			args: []string{b.strake, "build", "--quiet", "--root", checkout, "-o", "json"},
		}
		if outputs[i], _, err = build.output(ctx); err != nil {
			return err
		}
	}
	if !bytes.Equal(outputs[0], outputs[1]) {
		return fmt.Errorf("two clean builds differ:\n%s\n%s", outputs[0], outputs[1])
	}
	b.report.note("two clean builds in two folders: every digest equal")
	return nil
}
