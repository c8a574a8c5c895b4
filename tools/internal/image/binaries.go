package image

import (
	"archive/tar"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// buildInfos reads what the go command wrote into the binary of each layer.
// The binaries pass through dir, which is a temporary one.
func buildInfos(layers []v1.Layer, dir string) ([]*debug.BuildInfo, error) {
	var infos []*debug.BuildInfo
	for _, layer := range layers {
		info, err := buildInfo(layer, dir)
		if err != nil {
			return nil, fmt.Errorf("reading the build information of a compiled command: %w", err)
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func buildInfo(layer v1.Layer, dir string) (_ *debug.BuildInfo, err error) {
	// A file rather than memory: binaries have 100 MB and more.
	f, err := os.CreateTemp(dir, "binary")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := extract(layer, f); err != nil {
		return nil, err
	}
	return buildinfo.Read(f)
}

// extract copies the layer's one regular file.
func extract(layer v1.Layer, to io.Writer) (err error) {
	content, err := layer.Uncompressed()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, content.Close()) }()
	r := tar.NewReader(content)
	for {
		header, err := r.Next()
		if err != nil {
			return err
		}
		if header.Typeflag == tar.TypeReg {
			_, err = io.Copy(to, r)
			return err
		}
	}
}
