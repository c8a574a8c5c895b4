package cli

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/rogpeppe/go-internal/testscript"
)

// registriesKey finds a script's registries in its values.
type registriesKey struct{}

type registries struct{ last *faulty }

// faulty is a registry that can be told to misbehave.
type faulty struct {
	http.Handler
	// fault says how; the empty word is a registry that works.
	fault atomic.Value
	// left counts the requests that still go wrong.
	left atomic.Int64
	// stalled is closed when the first request is being held.
	stalled chan struct{}
	once    sync.Once
}

// cmdRegistry starts an empty registry and names it by HOST:PORT in $REGISTRY:
//
//	registry
func cmdRegistry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: registry")
	}
	f := &faulty{Handler: registry.New(registry.Logger(log.New(io.Discard, "", 0))), stalled: make(chan struct{})}
	f.fault.Store("")
	server := httptest.NewServer(f)
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	ts.Setenv("REGISTRY", strings.TrimPrefix(server.URL, "http://"))
	ts.Value(registriesKey{}).(*registries).last = f
}

// cmdFault makes the last registry misbehave:
//
//	fault none
//	fault auth        every request: 401 with a challenge
//	fault login       the same, unless it is from me with the password secret
//	fault readonly    every write: 405
//	fault 429 [N]     the next N writes (all without N): 429, Retry-After: 0
//	fault 503 [N]     the same with 503
//	fault drop [N]    the connection ends in the middle of the next N uploads
//	fault down        every request: 503
//	fault damage      blobs are read with one bit changed, whatever was sent
//	fault stall       uploads are held until the client goes away
func cmdFault(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: fault none|auth|login|readonly|429|503|drop|down|damage|stall [COUNT]")
	}
	f := ts.Value(registriesKey{}).(*registries).last
	left := int64(1 << 40)
	if len(args) > 1 {
		_, err := fmt.Sscan(args[1], &left)
		ts.Check(err)
	}
	f.left.Store(left)
	f.fault.Store(strings.TrimPrefix(args[0], "none"))
}

// cmdStalled waits until a registry with "fault stall" holds an upload.
func cmdStalled(ts *testscript.TestScript, _ bool, _ []string) {
	<-ts.Value(registriesKey{}).(*registries).last.stalled
}

// cmdTags prints the tags of a repository of the last registry, which answers
// whatever its fault is:
//
//	tags PATH
func cmdTags(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tags PATH")
	}
	f := ts.Value(registriesKey{}).(*registries).last
	server := httptest.NewServer(f.Handler)
	defer server.Close()
	repository, err := name.NewRepository(strings.TrimPrefix(server.URL, "http://") + "/" + args[0])
	ts.Check(err)
	tags, err := remote.List(repository)
	if err != nil && !strings.Contains(err.Error(), "NAME_UNKNOWN") {
		ts.Check(err)
	}
	for _, tag := range tags {
		fmt.Fprintln(ts.Stdout(), tag)
	}
}

// cmdImage puts an image of random bytes into the last registry, as an index:
//
//	image PATH:TAG PLATFORM...
func cmdImage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: image PATH:TAG PLATFORM...")
	}
	ref, err := name.ParseReference(ts.Getenv("REGISTRY") + "/" + args[0])
	ts.Check(err)
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range args[1:] {
		img, err := random.Image(1024, 1)
		ts.Check(err)
		p, err := v1.ParsePlatform(platform)
		ts.Check(err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: p}})
	}
	ts.Check(remote.WriteIndex(ref, index))
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	write := r.Method != http.MethodGet && r.Method != http.MethodHead
	user, password, _ := r.BasicAuth()
	switch fault := f.fault.Load().(string); {
	case fault == "login" && user == "me" && password == "secret":
		f.Handler.ServeHTTP(w, r)
	case fault == "auth", fault == "login":
		w.Header().Set("WWW-Authenticate", `Basic realm="strake"`)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
	case fault == "down":
		refuse(w, http.StatusServiceUnavailable, "UNAVAILABLE", "come back later")
	case fault == "damage" && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/"):
		damage(f.Handler, w, r)
	case fault == "", fault == "damage", !write, f.left.Add(-1) < 0:
		f.Handler.ServeHTTP(w, r)
	case fault == "readonly":
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "the registry is read-only")
	case fault == "429":
		w.Header().Set("Retry-After", "0")
		refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "slow down")
	case fault == "503":
		refuse(w, http.StatusServiceUnavailable, "UNAVAILABLE", "come back later")
	case fault == "drop":
		drop(w, r)
	case fault == "stall":
		f.once.Do(func() { close(f.stalled) })
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}
}

// damage answers as h does, with one bit of the content changed.
func damage(h http.Handler, w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	content := answer.Body.Bytes()
	if len(content) > 0 {
		content[len(content)/2] ^= 1
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(content)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors":[{"code":%q,"message":%q}]}`, code, message)
}

// drop reads a part of the request and ends the connection without an answer.
func drop(w http.ResponseWriter, r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, 512)
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
