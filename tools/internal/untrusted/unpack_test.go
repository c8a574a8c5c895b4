package untrusted_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/strake-dev/strake/tools/internal/untrusted"
	"github.com/strake-dev/strake/tools/internal/untrusted/hostile"
)

// write puts content into a file of a folder of its own.
func write(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "archive")
	require.NoError(t, os.WriteFile(file, content, 0o600))
	return file
}

// below lists the files below a folder with their content.
func below(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		relative, _ := filepath.Rel(dir, name)
		found[filepath.ToSlash(relative)] = string(content)
		return err
	}))
	return found
}

// packings are all forms of a hostile archive.
func packings(a hostile.Archive) map[string][]byte {
	all := map[string][]byte{"tar": a.Tar, "tar.gz": hostile.Gzip(a.Tar)}
	if a.Zip != nil {
		all["zip"] = a.Zip
	}
	return all
}

func TestUnpackRefusesHostileArchives(t *testing.T) {
	for _, a := range hostile.Archives() {
		for kind, content := range packings(a) {
			t.Run(a.Name+" "+kind, func(t *testing.T) {
				outer := t.TempDir()
				dir := filepath.Join(outer, "a", "b")
				require.NoError(t, os.MkdirAll(dir, 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(outer, "precious"), []byte("p"), 0o600))
				file := write(t, content)
				require.ErrorContains(t, untrusted.Unpack(t.Context(), file, dir, untrusted.Default()), a.Want)
				require.Error(t, untrusted.UnpackLayers(t.Context(), []string{file}, dir, untrusted.Default()))
				require.Equal(t, map[string]string{"precious": "p"}, below(t, outer), "nothing is written or deleted")
			})
		}
	}
}

func TestUnpackRefusesHalfAZip(t *testing.T) {
	whole := hostile.Zip("a.yml", "a: 1\n", "b.yml", "b: 1\n")
	for _, content := range [][]byte{whole[:60], whole[:len(whole)-1], append([]byte("PK\x03\x04"), make([]byte, 100)...)} {
		dir := t.TempDir()
		require.ErrorContains(t, untrusted.Unpack(t.Context(), write(t, content), dir, untrusted.Default()), "reading zip")
		require.Empty(t, below(t, dir))
	}
}

func TestUnpackEveryFormat(t *testing.T) {
	plain := hostile.Pack("./a/b.yml", "b: 1\n", "c.yml", "c: 1\n")
	encoder, err := zstd.NewWriter(nil)
	require.NoError(t, err)
	for name, content := range map[string][]byte{
		"tar": plain, "tar.gz": hostile.Gzip(plain), "tar.zst": encoder.EncodeAll(plain, nil),
		"zip": hostile.Zip("a/b.yml", "b: 1\n", "c.yml", "c: 1\n"),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, untrusted.Unpack(t.Context(), write(t, content), dir, untrusted.Default()))
			require.Equal(t, map[string]string{"a/b.yml": "b: 1\n", "c.yml": "c: 1\n"}, below(t, dir))
		})
	}
}

func TestUnpackKeepsWhatCanBeExecuted(t *testing.T) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "comment", Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{"comment": "c"}}))
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "bin/", Typeflag: tar.TypeDir, Mode: 0o7777}))
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "bin/run", Typeflag: tar.TypeReg, Mode: 0o6700}))
	require.NoError(t, w.Close())
	dir := t.TempDir()
	require.NoError(t, untrusted.Unpack(t.Context(), write(t, packed.Bytes()), dir, untrusted.Default()))
	info, err := os.Stat(filepath.Join(dir, "bin", "run"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o755), info.Mode(), "neither setuid nor setgid")
}

func TestUnpackStopsAtLimits(t *testing.T) {
	many := []string{}
	for i := range 50 {
		many = append(many, strconv.Itoa(i), "x")
	}
	for name, test := range map[string]struct {
		content []byte
		limits  untrusted.Limits
	}{
		"ratio":          {hostile.Bomb(64 << 20), untrusted.Default()},
		"content":        {hostile.Bomb(2 << 20), untrusted.Limits{Archive: 1 << 20, Content: 1 << 20, Ratio: 5000, Entries: 10, Depth: 10}},
		"archive":        {hostile.Pack("a", strings.Repeat("x", 5000)), untrusted.Limits{Archive: 1000, Content: 1 << 20, Ratio: 10, Entries: 10, Depth: 10}},
		"entries":        {hostile.Pack(many...), untrusted.Limits{Archive: 1 << 20, Content: 1 << 20, Ratio: 10, Entries: 20, Depth: 10}},
		"entries in zip": {hostile.Zip(many...), untrusted.Limits{Archive: 1 << 20, Content: 1 << 20, Ratio: 10, Entries: 20, Depth: 10}},
		"holes":          {sparse(1 << 40), untrusted.Default()},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.ErrorIs(t, untrusted.Unpack(t.Context(), write(t, test.content), dir, test.limits), untrusted.ErrLimit)
			require.Empty(t, below(t, dir))
		})
	}
}

// sparse is a tar archive of one file that is all hole, in the form of PAX.
func sparse(size int64) []byte {
	record := func(key, value string) string {
		text := " " + key + "=" + value + "\n"
		n := len(text) + 1
		for len(strconv.Itoa(n))+len(text) != n {
			n++
		}
		return strconv.Itoa(n) + text
	}
	extended := record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") +
		record("GNU.sparse.name", "hole") + record("GNU.sparse.realsize", strconv.FormatInt(size, 10))
	var packed bytes.Buffer
	header := func(kind byte, name, content string) {
		block := make([]byte, 512)
		copy(block, name)
		copy(block[100:], "0000644\x00")
		copy(block[124:], []byte("00000000000"))
		octal := strconv.FormatInt(int64(len(content)), 8)
		copy(block[124+11-len(octal):], octal)
		copy(block[136:], "00000000000")
		block[156] = kind
		copy(block[257:], "ustar\x0000")
		copy(block[148:], "        ")
		sum := 0
		for _, b := range block {
			sum += int(b)
		}
		copy(block[148:], strconv.FormatInt(int64(sum)+1<<18, 8)[1:]+"\x00 ")
		packed.Write(block)
		packed.WriteString(content)
		packed.Write(make([]byte, (512-len(content)%512)%512))
	}
	header('x', "pax", extended)
	holes := "1\n" + strconv.FormatInt(size, 10) + "\n0\n"
	header('0', "hole", holes+strings.Repeat("\x00", 512-len(holes)))
	packed.Write(make([]byte, 1024))
	return packed.Bytes()
}

func TestUnpackEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	require.ErrorIs(t, untrusted.Unpack(ctx, write(t, hostile.Pack("a", "a")), dir, untrusted.Default()), context.Canceled)
	require.Empty(t, below(t, dir))
}

func TestUnpackLayers(t *testing.T) {
	var files []string
	for _, layer := range [][]byte{
		hostile.Pack("kept", "1", "hidden", "1", "dir/a", "1", "dir/b", "1", "opaque/a", "1", "file", "1", "tree/a", "1"),
		hostile.Pack(".wh.hidden", "", "dir/.wh.a", "", "opaque/new", "2", "opaque/.wh..wh..opq", "", "file/a", "2", "tree", "2", "none/.wh..wh..opq", "", "none/.wh.x", ""),
	} {
		files = append(files, write(t, hostile.Gzip(layer)))
	}
	dir := t.TempDir()
	err := untrusted.UnpackLayers(t.Context(), files, dir, untrusted.Default())
	require.ErrorContains(t, err, "file/a", "a file cannot be a folder without a whiteout")

	files[1] = write(t, hostile.Pack(".wh.hidden", "", "dir/.wh.a", "", "opaque/new", "2", "opaque/.wh..wh..opq", "", ".wh.file", "", "file/a", "2", "tree", "2", "none/.wh..wh..opq", ""))
	dir = t.TempDir()
	require.NoError(t, untrusted.UnpackLayers(t.Context(), files, dir, untrusted.Default()))
	require.Equal(t, map[string]string{"kept": "1", "dir/b": "1", "opaque/new": "2", "file/a": "2", "tree": "2"}, below(t, dir))
}

func TestIsArchive(t *testing.T) {
	packed := hostile.Pack("a", "a")
	for name, test := range map[string]struct {
		content []byte
		file    string
		want    bool
		err     string
	}{
		"tar without a name":  {packed, "download", true, ""},
		"zip":                 {hostile.Zip("a", "a"), "a.yml", true, ""},
		"empty zip":           {hostile.Zip(), "a.zip", true, ""},
		"text":                {[]byte("a: 1\n"), "a.yml", false, ""},
		"nothing":             {nil, "a.yml", false, ""},
		"text as tgz":         {[]byte("a: 1\n"), "v1/a.tgz", false, "a.tgz has the name of an archive"},
		"page as zip":         {[]byte("<html>"), "a.ZIP", false, "but is not one"},
		"half a header":       {packed[:100], "a.tar", false, "but is not one"},
		"compressed with xz":  {[]byte("\xfd7zXZ\x00"), "a", false, "has an unsupported compression"},
		"compressed by bzip2": {[]byte("BZh9"), "a.yml", false, "has an unsupported compression"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := untrusted.IsArchive(write(t, test.content), test.file)
			if test.err != "" {
				require.ErrorContains(t, err, test.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestCheckTree(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), nil, 0o600))
	require.NoError(t, os.Symlink("a", filepath.Join(dir, "within")))
	require.NoError(t, untrusted.CheckTree(dir, untrusted.Default()))
	require.ErrorIs(t, untrusted.CheckTree(dir, untrusted.Limits{Entries: 2, Content: 1}), untrusted.ErrLimit)
	for _, target := range []string{"..", "/etc/passwd", "nowhere"} {
		link := filepath.Join(dir, "link")
		require.NoError(t, os.Symlink(target, link))
		require.ErrorContains(t, untrusted.CheckTree(dir, untrusted.Default()), `entry "link" is a link`, target)
		require.NoError(t, os.Remove(link))
	}
}

// FuzzUnpack unpacks anything: outside of its folder nothing may change, and
// inside there may be nothing but files and folders.
func FuzzUnpack(f *testing.F) {
	for _, a := range hostile.Archives() {
		for _, content := range packings(a) {
			f.Add(content)
		}
	}
	f.Add(hostile.Gzip(hostile.Pack(".wh.a", "", "a", "", "b/.wh..wh..opq", "")))
	f.Add(sparse(1 << 40))
	limits := untrusted.Limits{Archive: 1 << 20, Content: 1 << 20, Ratio: 100, Entries: 100, Depth: 10}
	f.Fuzz(func(t *testing.T, content []byte) {
		outer := t.TempDir()
		file := write(t, content)
		require.NoError(t, os.WriteFile(filepath.Join(outer, "precious"), nil, 0o600))
		for _, unpack := range []func(dir string) error{
			func(dir string) error { return untrusted.Unpack(t.Context(), file, dir, limits) },
			func(dir string) error { return untrusted.UnpackLayers(t.Context(), []string{file, file}, dir, limits) },
		} {
			dir := filepath.Join(outer, "a", "b")
			require.NoError(t, os.MkdirAll(dir, 0o755))
			if unpack(dir) == nil {
				require.NoError(t, untrusted.CheckTree(dir, untrusted.Default()))
			}
			require.NoError(t, os.RemoveAll(dir))
			require.Equal(t, map[string]string{"precious": ""}, below(t, outer))
		}
	})
}
