// Command disk keeps a text in the file /disk/text: PUT writes it, GET answers
// with it. It listens on port 8080.
package main

import (
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"time"
)

const file = "/disk/text"

func main() {
	server := &http.Server{Addr: ":8080", Handler: http.HandlerFunc(serve), ReadHeaderTimeout: 5 * time.Second}
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func serve(w http.ResponseWriter, r *http.Request) {
	err := errors.ErrUnsupported
	switch r.Method {
	case http.MethodPut:
		err = write(r.Body)
	case http.MethodGet:
		err = read(w)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func write(from io.Reader) error {
	text, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

func read(to io.Writer) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, err = to.Write(text)
	return err
}
