package oci

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/sirupsen/logrus"
)

// logTo sends distribution's log to w. distribution knows one logger a
// process, so of two registries the later one's writer gets both logs.
func logTo(w io.Writer) {
	logrus.SetOutput(w)
	logrus.SetLevel(logrus.ErrorLevel)
	logrus.SetFormatter(serverErrors{})
}

// serverErrors is a log format that drops what is the client's doing, such as
// asking for a blob before it is pushed.
type serverErrors struct{}

// Format implements [logrus.Formatter].
func (serverErrors) Format(e *logrus.Entry) ([]byte, error) {
	if status, ok := e.Data["http.response.status"].(int); ok && status < http.StatusInternalServerError {
		return nil, nil
	}
	var line bytes.Buffer
	line.WriteString("registry: " + e.Message)
	for _, key := range []string{"http.request.method", "http.request.uri", "err.message", "err.detail"} {
		if value, ok := e.Data[key]; ok {
			fmt.Fprintf(&line, " %v", value)
		}
	}
	line.WriteByte('\n')
	return line.Bytes(), nil
}
