package upstream

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/strake-dev/strake/tools/internal/untrusted"
)

// What is fetched is checked by this package before anything is unpacked. The
// settings of this file are a second line, for the programs and libraries that
// do the fetching.

// guards returns settings for the environment of vendir and what it starts.
func guards() []string {
	guards := []string{
		// Go's readers of archives report names that lead out.
		"GODEBUG=" + godebug(os.Getenv("GODEBUG")),
		"GIT_TERMINAL_PROMPT=0",
		// Neither folders of this machine nor helper programs are sources.
		"GIT_ALLOW_PROTOCOL=http:https:ssh:git",
	}
	// Git runs no hooks: the user's own templates may install some.
	n, _ := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT"))
	return append(guards,
		fmt.Sprintf("GIT_CONFIG_KEY_%d=core.hooksPath", n), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, os.DevNull),
		fmt.Sprintf("GIT_CONFIG_COUNT=%d", n+1))
}

func godebug(own string) string {
	const checks = "tarinsecurepath=0,zipinsecurepath=0"
	if own == "" {
		return checks
	}
	return own + "," + checks
}

// boundChild bounds what this process, which is vendir, and those that it
// starts may write to one file, and what vendir takes from a server.
func boundChild() error {
	// Without this, a write beyond the limit ends the process with a dump of
	// all its threads, and not with an error.
	signal.Ignore(syscall.SIGXFSZ)
	// A pack of git has the history of a repository.
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
	limit.Cur = min(limit.Max, uint64(untrusted.Default().Content))
	if err := errors.Join(err, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)); err != nil {
		return fmt.Errorf("limiting the size of files that are fetched: %w", err)
	}
	http.DefaultClient.Transport = bounded{http.DefaultTransport}
	return nil
}

// bounded ends answers that are larger than an archive may be.
type bounded struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (b bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	limited := untrusted.Limit(response.Body, untrusted.Default().Archive, "the answer of "+req.URL.Host)
	response.Body = body{limited, response.Body}
	return response, nil
}

// body reads within a limit and closes what it reads from.
type body struct {
	io.Reader
	io.Closer
}
