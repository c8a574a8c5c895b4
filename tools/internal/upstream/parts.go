package upstream

import (
	"fmt"
	"slices"

	vendir "carvel.dev/vendir/pkg/vendir/config"
)

// fetched is the part of the configuration that a lock pins.
func (c *config) fetched() (vendir.Config, error) { return c.only(isFetched) }

// only is the part of the configuration that keep says, marked so that
// vendir writes configDigest.
func (c *config) only(keep func(*vendir.DirectoryContents) bool) (vendir.Config, error) {
	out, err := c.copy()
	if err != nil {
		return out, err
	}
	directories := out.Directories
	out.Directories = nil
	for _, d := range directories {
		d.Contents = slices.DeleteFunc(d.Contents, func(one vendir.DirectoryContents) bool { return !keep(&one) })
		for i := range d.Contents {
			d.Contents[i].Lazy = true
		}
		if len(d.Contents) > 0 {
			out.Directories = append(out.Directories, d)
		}
	}
	return out, nil
}

// locked is the configuration with all that the lock says put in, as
// `vendir sync --locked` would.
func (c *config) locked(l *lockFile) (vendir.Config, error) {
	out, err := c.copy()
	if err != nil {
		return out, err
	}
	for _, d := range out.Directories {
		for _, one := range d.Contents {
			entry, ok := l.entry(join(d.Path, one.Path))
			if !ok {
				continue
			}
			if err := one.Lock(entry); err != nil {
				return out, fmt.Errorf("%s: %s: %w", l.file, join(d.Path, one.Path), err)
			}
		}
	}
	return out, nil
}

// copy is a deep copy: vendir's locking writes through pointers.
func (c *config) copy() (vendir.Config, error) {
	data, err := c.AsBytes()
	if err != nil {
		return vendir.Config{}, err
	}
	return vendir.NewConfigFromBytes(data)
}
