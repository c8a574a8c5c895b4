package gocache

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/cache"
	"golang.org/x/sync/errgroup"

	"github.com/strake-dev/strake/tools/internal/child"
)

const jobName = "go-build-cache"

// Job is what the child does that the go command starts; [child.Enter] must know it.
func Job() child.Job { return child.Job{Name: jobName, Run: serve} }

// request and response are the messages of GOCACHEPROG, as the package
// cmd/go/internal/cacheprog describes them.
type request struct {
	ID       int64
	Command  string
	ActionID []byte
	OutputID []byte
	BodySize int64

	body []byte
}

type response struct {
	ID            int64
	Err           string     `json:",omitempty"`
	KnownCommands []string   `json:",omitempty"`
	Miss          bool       `json:",omitempty"`
	OutputID      []byte     `json:",omitempty"`
	Size          int64      `json:",omitempty"`
	Time          *time.Time `json:",omitempty"`
	DiskPath      string     `json:",omitempty"`
}

// layers are the store, which is written, and Go's build cache below it, which is only
// read; nil if it cannot be. Both have the layout of the latter.
type layers struct{ store, below *cache.Cache }

// serve answers a go command until that has ended. args are the folders of the layers.
func serve(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("the build cache takes 2 folders, not %d", len(args))
	}
	store, err := cache.Open(args[0])
	if err != nil {
		return fmt.Errorf("opening the build cache of images: %w", err)
	}
	below, _ := cache.Open(args[1])
	return layers{store, below}.serve(in, out)
}

func (l layers) serve(in io.Reader, out io.Writer) error {
	var mu sync.Mutex
	encoder := json.NewEncoder(out)
	send := func(r response) error {
		mu.Lock()
		defer mu.Unlock()
		return encoder.Encode(r)
	}
	if err := send(response{KnownCommands: []string{"get", "put", "close"}}); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0) + 1)
	for reader := bufio.NewReader(in); ; {
		r, err := read(reader)
		if errors.Is(err, io.EOF) {
			return group.Wait()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("reading what the go command asks: %w", err), group.Wait())
		}
		if r.Command == "close" {
			return errors.Join(group.Wait(), send(response{ID: r.ID}))
		}
		group.Go(func() error { return send(l.answer(r)) })
	}
}

// read reads a request, and its body where it has one. The body is decoded as it is
// read, since it may be large.
func read(from *bufio.Reader) (r request, err error) {
	line := []byte{}
	for len(line) == 0 { // messages are separated by empty lines
		if line, err = from.ReadBytes('\n'); err != nil {
			return r, err
		}
		line = bytes.TrimSpace(line)
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, err
	}
	if r.Command != "put" || r.BodySize == 0 {
		return r, nil
	}
	if r.body, err = readBody(from, r.BodySize); err != nil {
		return r, fmt.Errorf("the body of request %d: %w", r.ID, noEOF(err))
	}
	return r, nil
}

// readBody reads a line with size bytes in base64 as a JSON string.
func readBody(from *bufio.Reader, size int64) ([]byte, error) {
	if start, err := from.ReadString('"'); err != nil || len(bytes.TrimSpace([]byte(start))) != 1 {
		return nil, errors.Join(errors.New("it does not begin with a quotation mark"), err)
	}
	var body bytes.Buffer
	encoded := io.LimitReader(from, (size+2)/3*4)
	if n, err := io.Copy(&body, base64.NewDecoder(base64.StdEncoding, encoded)); err != nil || n != size {
		return nil, errors.Join(fmt.Errorf("it has %d bytes, not %d", n, size), err)
	}
	if end, err := from.ReadString('\n'); err != nil || end != "\"\n" {
		return nil, errors.Join(errors.New("it does not end with a quotation mark"), err)
	}
	return body.Bytes(), nil
}

// noEOF keeps an input that ends too early apart from one that ends.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (l layers) answer(r request) response {
	var id cache.ActionID
	if copy(id[:], r.ActionID) != len(r.ActionID) || len(r.ActionID) != len(id) {
		return response{ID: r.ID, Err: fmt.Sprintf("the action ID has %d bytes, not %d", len(r.ActionID), len(id))}
	}
	switch r.Command {
	case "get":
		return l.get(r.ID, id)
	case "put":
		return l.put(r.ID, id, r.body)
	}
	return response{ID: r.ID, Err: fmt.Sprintf("unknown command %q", r.Command)}
}

func (l layers) get(request int64, id cache.ActionID) response {
	file, entry, err := whole(l.store, id)
	if err == nil {
		now := time.Now()
		_ = os.Chtimes(file, now, now) // for trim; the library is exact to the hour
	} else if l.below != nil {
		file, entry, err = l.below.GetFile(id)
	}
	if err != nil {
		return response{ID: request, Miss: true}
	}
	return response{ID: request, OutputID: entry.OutputID[:], Size: entry.Size, Time: &entry.Time, DiskPath: file}
}

// whole is GetFile for a file that has its hash. The store outlives runs that are killed,
// and a disk may have damaged it; a miss compiles the package again. Go trusts its own
// cache by size, and so does this package.
func whole(store *cache.Cache, id cache.ActionID) (file string, entry cache.Entry, err error) {
	if file, entry, err = store.GetFile(id); err != nil {
		return "", entry, err
	}
	f, err := os.Open(file)
	if err != nil {
		return "", entry, err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", entry, err
	}
	if cache.OutputID(hash.Sum(nil)) != entry.OutputID {
		return "", entry, fmt.Errorf("%s is damaged", file)
	}
	return file, entry, nil
}

func (l layers) put(request int64, id cache.ActionID, body []byte) response {
	output, _, err := l.store.Put(id, bytes.NewReader(body))
	if err != nil {
		return response{ID: request, Err: err.Error()}
	}
	return response{ID: request, DiskPath: l.store.OutputFile(output)}
}
