package untrusted

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// EntryError says which entry of an archive is refused, and why.
type EntryError struct {
	Entry string
	Why   string
}

// Error implements error.
func (e *EntryError) Error() string { return fmt.Sprintf("entry %q %s", e.Entry, e.Why) }

const (
	whiteoutPrefix = ".wh."
	opaqueMarker   = ".wh..wh..opq"
	maxName        = 4096
)

// entry is what an archive says of one file or folder.
type entry struct {
	// name is the entry's own.
	name string
	// mode has the type and permissions.
	mode fs.FileMode
}

// path returns the entry's place below the folder that the archive is
// unpacked into, or an error if the entry may not be unpacked.
func (e entry) path(l Limits) (string, error) {
	parts := strings.Split(strings.TrimSuffix(e.name, "/"), "/")
	refuse := func(why string) (string, error) { return "", &EntryError{e.name, why} }
	switch {
	case e.name == "" || strings.HasPrefix(e.name, "/"):
		return refuse("has an absolute or empty name")
	case strings.ContainsAny(e.name, "\\\x00"):
		return refuse("has a backslash or a zero byte in its name, which unpackers take for different paths")
	case slices.Contains(parts, ".."):
		return refuse("has .. in its name, which leads out of the archive")
	case len(e.name) > maxName || len(parts) > l.Depth:
		return refuse(fmt.Sprintf("has a name of more than %d parts or %d bytes", l.Depth, maxName))
	case !e.mode.IsRegular() && !e.mode.IsDir():
		return refuse("is a " + typeName(e.mode) + "; only files and folders are unpacked")
	}
	clean := path.Clean(e.name)
	if clean == "." && !e.mode.IsDir() {
		return refuse("is a file in the place of the whole archive")
	}
	return clean, checkWhiteout(e.name, clean)
}

// checkWhiteout refuses names with which imgpkg would delete a folder that
// the whiteout itself is in, or one above.
func checkWhiteout(name, clean string) error {
	for part := range strings.SplitSeq(clean, "/") {
		hidden, ok := strings.CutPrefix(part, whiteoutPrefix)
		if ok && (hidden == "" || hidden == "." || hidden == "..") {
			return &EntryError{name, "is a whiteout of the folder that it is in, or of one above"}
		}
	}
	return nil
}

func typeName(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "link"
	case mode&fs.ModeDevice != 0:
		return "device"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "special file"
}
