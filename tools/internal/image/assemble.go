package image

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// author is who, for the history, made the layers that are not ko's.
const author = "strake"

// platformImage is one platform's image and the layers of it that hold a
// command's binary.
type platformImage struct {
	image    v1.Image
	platform v1.Platform
	binaries []v1.Layer
}

// assemble makes one platform's image. From the bottom: the base, the image's
// links and files, each further command, the main command.
func (c compiler) assemble(ctx context.Context, b base) (platformImage, error) {
	below, err := c.below(b)
	if err != nil {
		return platformImage{}, err
	}
	var binaries []v1.Layer
	for _, command := range c.image.With {
		add, err := c.further(ctx, command)
		if err != nil {
			return platformImage{}, err
		}
		if below, err = mutate.Append(below, add); err != nil {
			return platformImage{}, fmt.Errorf("adding %s to image %s: %w", command, c.image.Name, err)
		}
		binaries = append(binaries, add.Layer)
	}
	whole, err := c.compile(ctx, c.image.Command, below)
	if err != nil {
		return platformImage{}, err
	}
	main, err := top(whole)
	if err != nil {
		return platformImage{}, err
	}
	finished, err := finish(whole, labels(c.version, c.image))
	return platformImage{image: finished, platform: c.platform, binaries: append(binaries, main.Layer)}, err
}

// further compiles a command by itself and answers with the layer that holds
// its binary: ko builds chained one upon the other would differ only in a
// PATH and a data folder that repeat.
func (c compiler) further(ctx context.Context, command string) (mutate.Addendum, error) {
	none, err := emptyImage(c.platform)
	if err != nil {
		return mutate.Addendum{}, err
	}
	img, err := c.compile(ctx, command, none)
	if err != nil {
		return mutate.Addendum{}, err
	}
	return top(img)
}

// top is the uppermost layer with its history.
func top(img v1.Image) (mutate.Addendum, error) {
	layers, err := img.Layers()
	if err != nil {
		return mutate.Addendum{}, fmt.Errorf("reading the layers that ko made: %w", err)
	}
	config, err := img.ConfigFile()
	if err != nil {
		return mutate.Addendum{}, fmt.Errorf("reading the config that ko made: %w", err)
	}
	return mutate.Addendum{
		Layer: layers[len(layers)-1], History: config.History[len(config.History)-1], MediaType: types.OCILayer,
	}, nil
}

// below is what lies under the commands.
func (c compiler) below(b base) (v1.Image, error) {
	entries, err := extras(c.image, b)
	if err != nil {
		return nil, fmt.Errorf("image %s of %s: %w", c.image.Name, c.version.ID(), err)
	}
	img, err := emptyImage(c.platform)
	if err != nil {
		return nil, err
	}
	adds := []mutate.Addendum{c.addendum(b.layer, "CA roots, time zones, users")}
	if len(entries) > 0 {
		layer, err := newLayer(entries)
		if err != nil {
			return nil, err
		}
		adds = append(adds, c.addendum(layer, "links and files that the program expects"))
	}
	return mutate.Append(img, adds...)
}

func (c compiler) addendum(layer v1.Layer, comment string) mutate.Addendum {
	return mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer,
		History: v1.History{Author: author, CreatedBy: "strake images build", Comment: comment, Created: created(c.version)},
	}
}

// finish gives the image its labels and drops ko's annotations about a base
// image that no registry has.
func finish(img v1.Image, labels map[string]string) (v1.Image, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("reading the config that ko made: %w", err)
	}
	layers, err := img.Layers()
	if err != nil {
		return nil, fmt.Errorf("reading the layers that ko made: %w", err)
	}
	config = config.DeepCopy()
	config.Config.Labels = labels
	plain := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	plain, err = mutate.AppendLayers(plain, layers...)
	if err != nil {
		return nil, fmt.Errorf("putting the image's layers together: %w", err)
	}
	plain, err = mutate.ConfigFile(plain, config)
	if err != nil {
		return nil, fmt.Errorf("writing the image's config: %w", err)
	}
	return mutate.Annotations(plain, labels).(v1.Image), nil
}

// newIndex joins the platforms; it is an index even of one.
func newIndex(images []platformImage, labels map[string]string) v1.ImageIndex {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        p.image,
			Descriptor: v1.Descriptor{MediaType: types.OCIManifestSchema1, Platform: &p.platform},
		})
	}
	return mutate.Annotations(index, labels).(v1.ImageIndex)
}
