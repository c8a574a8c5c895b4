// Package hostile makes archives that must not be unpacked, for the tests of
// all ways in which archives come in.
//
// It must not know how they are refused. Start reading at [Archives].
package hostile

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io/fs"
	"strings"
)

// Good is the name of a file that is in every archive before what is wrong.
const Good = "good.yml"

// Archive is one archive and what its refusal must say.
type Archive struct {
	Name string
	// Tar is the archive, and Zip the same as zip where zip can hold it.
	Tar, Zip []byte
	// Want is what the error must contain.
	Want string
}

// Archives returns each shape of hostile archive.
func Archives() []Archive {
	file := func(name string) *tar.Header {
		return &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: 5}
	}
	to := func(kind byte, target string) *tar.Header {
		return &tar.Header{Name: "link", Typeflag: kind, Linkname: target, Mode: 0o777}
	}
	special := func(kind byte) *tar.Header { return &tar.Header{Name: "special", Typeflag: kind, Mode: 0o644} }
	return []Archive{
		entry("parent", file("../../x"), `entry "../../x"`),
		entry("parent within", file("a/../../x"), `entry "a/../../x"`),
		entry("absolute", file("/tmp/strake-hostile/x"), `entry "/tmp/strake-hostile/x"`),
		entry("backslashes", file(`..\..\x`), "backslash"),
		entry("backslash within", file(`a\x`), "backslash"),
		entry("drive", file(`C:\x`), "backslash"),
		entry("whiteout of nothing", file("a/.wh."), "whiteout"),
		entry("whiteout of the folder", file(".wh.."), "whiteout"),
		entry("whiteout of the parent", file(".wh..."), "whiteout"),
		entry("whiteout as a folder", file(".wh.../x"), "whiteout"),
		entry("symbolic link out", to(tar.TypeSymlink, "../.."), "is a link"),
		entry("symbolic link within", to(tar.TypeSymlink, Good), "is a link"),
		entry("hard link", to(tar.TypeLink, "/etc/passwd"), "is a link"),
		entry("character device", special(tar.TypeChar), "is a device"),
		entry("block device", special(tar.TypeBlock), "is a device"),
		entry("pipe", special(tar.TypeFifo), "is a pipe"),
		entry("unknown type", special('Z'), "special file"),
		entry("deep", file(strings.Repeat("d/", 80)+"x"), "parts"),
		{Name: "truncated", Tar: Pack(Good, strings.Repeat("x", 2000))[:1500], Want: "unexpected EOF"},
	}
}

func entry(name string, h *tar.Header, want string) Archive {
	a := Archive{Name: name, Want: want}
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	add(w, &tar.Header{Name: Good, Typeflag: tar.TypeReg, Mode: 0o644, Size: 5})
	add(w, h)
	must(w.Close())
	a.Tar = packed.Bytes()
	if h.Typeflag == tar.TypeReg || h.Typeflag == tar.TypeSymlink {
		a.Zip = zipOf(h)
	}
	return a
}

func add(w *tar.Writer, h *tar.Header) {
	must(w.WriteHeader(h))
	if h.Size > 0 {
		_, err := w.Write([]byte("good\n"))
		must(err)
	}
}

func zipOf(h *tar.Header) []byte {
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, name := range []string{Good, h.Name} {
		head := &zip.FileHeader{Name: name, Method: zip.Deflate}
		if name == h.Name && h.Typeflag == tar.TypeSymlink {
			head.SetMode(fs.ModeSymlink | 0o777)
		}
		f, err := w.CreateHeader(head)
		must(err)
		_, err = f.Write([]byte("good\n"))
		must(err)
	}
	must(w.Close())
	return packed.Bytes()
}

// Pack returns a tar archive of files, given as names and contents in turn.
func Pack(files ...string) []byte {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for i := 0; i < len(files); i += 2 {
		must(w.WriteHeader(&tar.Header{Name: files[i], Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[i+1]))}))
		_, err := w.Write([]byte(files[i+1]))
		must(err)
	}
	must(w.Close())
	return packed.Bytes()
}

// Zip is [Pack] for zip.
func Zip(files ...string) []byte {
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		must(err)
		_, err = f.Write([]byte(files[i+1]))
		must(err)
	}
	must(w.Close())
	return packed.Bytes()
}

// Gzip compresses content.
func Gzip(content []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(content)
	must(err)
	must(w.Close())
	return packed.Bytes()
}

// Bomb returns a compressed tar archive of one file of zeros.
func Bomb(size int64) []byte {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	w := tar.NewWriter(z)
	must(w.WriteHeader(&tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Mode: 0o644, Size: size}))
	block := make([]byte, 1<<20)
	for ; size > 0; size -= int64(len(block)) {
		_, err := w.Write(block[:min(size, int64(len(block)))])
		must(err)
	}
	must(w.Close())
	must(z.Close())
	return packed.Bytes()
}

// must is for what cannot fail in memory.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
