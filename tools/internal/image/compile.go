package image

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	ko "github.com/google/ko/pkg/build"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// appDir is where ko puts binaries.
const appDir = "/ko-app"

// compiler makes images of commands of one version's module for one platform.
type compiler struct {
	version  *catalog.Version
	image    catalog.Image
	platform v1.Platform
	// tmp is a folder for the go command's temporary files.
	tmp string
}

// compile answers with from and the command on top of it, its entrypoint.
func (c compiler) compile(ctx context.Context, command string, from v1.Image) (v1.Image, error) {
	report := progress.From(ctx)
	report.Step("%s: compiling %s for %s", c.version.ID(), command, c.platform)
	begin := time.Now()
	img, err := c.run(ctx, command, from)
	// A go command that was killed says only that it was.
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		return nil, fmt.Errorf("compiling %s of %s for %s: %w", command, c.version.ID(), c.platform, err)
	}
	report.Step("%s: compiled %s for %s in %s", c.version.ID(), command, c.platform, time.Since(begin).Round(100*time.Millisecond))
	return img, nil
}

func (c compiler) run(ctx context.Context, command string, from v1.Image) (v1.Image, error) {
	if err := os.MkdirAll(c.tmp, 0o755); err != nil {
		return nil, err
	}
	dir, err := c.module(ctx, command)
	if err != nil {
		return nil, err
	}
	env, err := buildEnv(ctx, c.platform, c.tmp)
	if err != nil {
		return nil, err
	}
	builder, err := ko.NewGo(ctx, dir, c.options(command, from, env)...)
	if err != nil {
		return nil, err
	}
	reference, err := builder.QualifyImport(command)
	if err != nil {
		return nil, err
	}
	// The go command would compile a library into an archive without a word.
	if err := builder.IsSupportedReference(reference); err != nil {
		return nil, fmt.Errorf("%w (a \"tool\" directive of the version's go.mod must name it)", err)
	}
	result, err := builder.Build(ctx, reference)
	if err != nil {
		return nil, err
	}
	img, ok := result.(v1.Image)
	if !ok {
		return nil, fmt.Errorf("ko made a %T of one platform's image", result)
	}
	return img, nil
}

func (c compiler) options(command string, from v1.Image, env []string) []ko.Option {
	return []ko.Option{
		ko.WithBaseImages(c.base(from)),
		ko.WithPlatforms(c.platform.String()),
		ko.WithDefaultEnv(env),
		ko.WithConfig(map[string]ko.Config{command: {Ldflags: c.ldflags(), Flags: c.flags()}}),
		ko.WithTrimpath(true),
		ko.WithCreationTime(created(c.version)),
		ko.WithKoDataCreationTime(created(c.version)),
		ko.WithUser(c.user()),
		ko.WithDisabledSBOM(),
		ko.WithJobs(1),
	}
}

// base hands from to ko under a name, which ko wants; the name is in no result.
func (c compiler) base(from v1.Image) ko.GetBase {
	return func(context.Context, string) (name.Reference, ko.Result, error) {
		reference, err := name.NewTag("strake.invalid/base:latest")
		return reference, from, err
	}
}

func (c compiler) ldflags() []string {
	flags := []string{"-s", "-w"}
	for _, f := range c.image.Ldflags {
		flags = append(flags, strings.ReplaceAll(f, "${VERSION}", c.version.Upstream))
	}
	return flags
}

func (c compiler) flags() []string {
	if len(c.image.Tags) == 0 {
		return nil
	}
	return []string{"-tags=" + strings.Join(c.image.Tags, ",")}
}

func (c compiler) user() string {
	if c.image.User != "" {
		return c.image.User
	}
	return DefaultUser
}
