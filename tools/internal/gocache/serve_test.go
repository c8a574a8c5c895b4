package gocache

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/cache"
	"github.com/stretchr/testify/require"
)

// id is some action's.
func id(name string) cache.ActionID { return sha256.Sum256([]byte(name)) }

func get(number int, name string) string {
	action := id(name)
	return fmt.Sprintf("{\"ID\":%d,\"Command\":\"get\",\"ActionID\":%q}\n\n", number, base64.StdEncoding.EncodeToString(action[:]))
}

func put(number int, name, body string) string {
	action, output := id(name), sha256.Sum256([]byte(body))
	text := fmt.Sprintf("{\"ID\":%d,\"Command\":\"put\",\"ActionID\":%q,\"OutputID\":%q,\"BodySize\":%d}\n\n",
		number, base64.StdEncoding.EncodeToString(action[:]), base64.StdEncoding.EncodeToString(output[:]), len(body))
	if body != "" {
		text += fmt.Sprintf("%q\n", base64.StdEncoding.EncodeToString([]byte(body)))
	}
	return text
}

// talk lets a child of these folders answer, by the number of the request.
func talk(t *testing.T, store, below string, requests ...string) map[int64]response {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, serve([]string{store, below}, strings.NewReader(strings.Join(requests, "")), &out))
	answers := map[int64]response{}
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var r response
		require.NoError(t, decoder.Decode(&r))
		answers[r.ID] = r
	}
	return answers
}

func content(t *testing.T, r response) string {
	t.Helper()
	require.Empty(t, r.Err)
	require.False(t, r.Miss)
	data, err := os.ReadFile(r.DiskPath)
	require.NoError(t, err)
	return string(data)
}

func TestLayers(t *testing.T) {
	store, below := t.TempDir(), t.TempDir()
	talk(t, below, filepath.Join(below, "none"), put(1, "shared", "of the user"))
	before := files(t, below)

	large := strings.Repeat("x", 1<<20+1)
	answers := talk(t, store, below, put(1, "own", large), put(2, "empty", ""))
	require.Equal(t, []string{"get", "put", "close"}, answers[0].KnownCommands)
	require.Equal(t, large, content(t, answers[1]))

	answers = talk(t, store, below, get(1, "own"), get(2, "empty"), get(3, "shared"), get(4, "none"), "{\"ID\":5,\"Command\":\"close\"}\n")
	require.Equal(t, large, content(t, answers[1]))
	require.EqualValues(t, len(large), answers[1].Size)
	require.Empty(t, content(t, answers[2]))
	require.Equal(t, "of the user", content(t, answers[3]))
	require.True(t, strings.HasPrefix(answers[3].DiskPath, below), "it is not copied")
	require.True(t, answers[4].Miss)
	require.Contains(t, answers, int64(5))
	require.Equal(t, before, files(t, below), "it is only read")

	require.True(t, talk(t, t.TempDir(), "/proc/none", get(1, "shared"))[1].Miss, "a cache of Go's is not required")
}

// TestDamagedFile is compiled again: the store outlives power losses.
func TestDamagedFile(t *testing.T) {
	store := t.TempDir()
	file := talk(t, store, t.TempDir(), put(1, "own", "compiled"))[1].DiskPath
	require.NoError(t, os.WriteFile(file, []byte("c0mpiled"), 0o600))
	require.True(t, talk(t, store, t.TempDir(), get(1, "own"))[1].Miss)
	require.Equal(t, "compiled", content(t, talk(t, store, t.TempDir(), put(1, "own", "compiled"))[1]))
	require.Equal(t, "compiled", content(t, talk(t, store, t.TempDir(), get(1, "own"))[1]))
}

// TestCutOff: a go command that is killed leaves no half of a file.
func TestCutOff(t *testing.T) {
	store := t.TempDir()
	whole := put(1, "own", strings.Repeat("x", 10_000))
	for _, length := range []int{10, len(whole) / 2, len(whole) - 2} {
		err := serve([]string{store, "/none"}, strings.NewReader(whole[:length]), io.Discard)
		if length > 10 {
			require.ErrorContains(t, err, "the body of request 1")
		}
		require.True(t, talk(t, store, "/none", get(1, "own"))[1].Miss)
	}
	talk(t, store, "/none", whole)
	require.False(t, talk(t, store, "/none", get(1, "own"))[1].Miss)
}

func TestTrim(t *testing.T) {
	store := t.TempDir()
	talk(t, store, "/none", put(1, "first", strings.Repeat("1", 5000)), put(2, "second", strings.Repeat("2", 5000)))
	long := time.Now().Add(-time.Minute)
	for name := range files(t, store) {
		require.NoError(t, os.Chtimes(name, long, long))
	}
	require.False(t, talk(t, store, "/none", get(1, "first"))[1].Miss)
	require.NoError(t, trim(store, 20_000))
	require.False(t, talk(t, store, "/none", get(1, "second"))[1].Miss)
	for name := range files(t, store) {
		require.NoError(t, os.Chtimes(name, long, long))
	}
	require.False(t, talk(t, store, "/none", get(1, "first"))[1].Miss)
	require.NoError(t, trim(store, 6000))
	answers := talk(t, store, "/none", get(1, "first"), get(2, "second"))
	require.False(t, answers[1].Miss, "it was used last")
	require.True(t, answers[2].Miss)
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	}))
	return all
}

func TestCommandLine(t *testing.T) {
	line, err := commandLine("/a b/strake", "/it's")
	require.NoError(t, err)
	require.Equal(t, `'/a b/strake' "/it's"`, line)
	_, err = commandLine(`/it's "here"`)
	require.ErrorContains(t, err, "both kinds of quotation marks")
}

// FuzzRead: whatever comes in, nothing panics, and a body has the size that was said.
func FuzzRead(f *testing.F) {
	f.Add(get(1, "a") + put(2, "b", "content") + put(3, "c", ""))
	f.Add("{\"Command\":\"put\",\"BodySize\":-3}\n\"\"\n")
	f.Add("{\"Command\":\"put\",\"BodySize\":9223372036854775807}\n\"AA==\"\n")
	f.Fuzz(func(t *testing.T, input string) {
		for reader := bufio.NewReader(strings.NewReader(input)); ; {
			r, err := read(reader)
			if err != nil {
				return
			}
			if r.Command == "put" && int64(len(r.body)) != r.BodySize {
				t.Errorf("%d bytes, not %d", len(r.body), r.BodySize)
			}
		}
	})
}
