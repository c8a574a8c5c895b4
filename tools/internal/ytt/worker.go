package ytt

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"

	"github.com/strake-dev/strake/tools/internal/child"
)

const (
	jobName = "ytt"
	// workerMemory is more than four times what the largest package of this
	// repository takes.
	workerMemory = 2 << 30
	// mostOutput is how much one run of a worker may print, in bytes: several times
	// what the largest package prints. Objects in memory take many times as much.
	mostOutput = 64 << 20
)

// Worker runs ytt in a child process, for input that may never end or allocate without
// end. It starts the child when it is first needed, and a new one when it had to kill
// the last one. It is safe for concurrent use; one request runs at a time.
type Worker struct {
	turn    chan struct{}
	process *child.Process
	encoder *gob.Encoder
	decoder *gob.Decoder
	answers *io.LimitedReader
}

// NewWorker makes a worker that has no child yet. It must be closed.
func NewWorker() *Worker { return &Worker{turn: make(chan struct{}, 1)} }

// Job is what a worker's child does; [child.Enter] must know it.
func Job() child.Job { return child.Job{Name: jobName, Run: serve} }

// answer is what a child returns for a request.
type answer struct {
	Result Result
	Error  string
	// Faults are those of a [ValuesError].
	Faults  []Fault
	Overlay *OverlayError
}

// serve answers requests until there are no more.
func serve(_ []string, in io.Reader, out io.Writer) error {
	decoder, encoder := gob.NewDecoder(in), gob.NewEncoder(out)
	for {
		var r Request
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading what to render: %w", err)
		}
		var a answer
		made, err := r.Run(context.Background())
		if err != nil {
			a.Error = err.Error()
			if refused := (*ValuesError)(nil); errors.As(err, &refused) {
				a.Faults = refused.Faults
			}
			errors.As(err, &a.Overlay)
		} else {
			a.Result = Result{Stream: made.Stream, Documents: made.Documents}
		}
		if err := encoder.Encode(a); err != nil {
			return fmt.Errorf("returning what was rendered: %w", err)
		}
	}
}

// Run lets the child run ytt. When ctx ends, or the child uses too much memory or
// prints too much, the child is killed. Of ytt's errors a
// [ValuesError] and an [OverlayError] stay what they are; others have their text alone.
func (w *Worker) Run(ctx context.Context, r Request) (*Result, error) {
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, w.process.Kill)
	a, err := w.ask(r)
	stop()
	switch {
	case ctx.Err() != nil:
		_ = w.end(true)
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case len(a.Faults) > 0:
		return nil, &ValuesError{a.Faults, a.Error}
	case a.Overlay != nil:
		return nil, a.Overlay
	case a.Error != "":
		return nil, errors.New(a.Error)
	}
	return &a.Result, nil
}

func (w *Worker) start(ctx context.Context) error {
	if err := ctx.Err(); err != nil || w.process != nil {
		return err
	}
	// The child serves later requests too, so it outlives this one's context.
	process, err := child.Start(context.WithoutCancel(ctx), jobName, child.Options{Memory: workerMemory})
	if err != nil {
		return err
	}
	w.process = process
	w.answers = &io.LimitedReader{R: process.Out}
	w.encoder, w.decoder = gob.NewEncoder(process.In), gob.NewDecoder(w.answers)
	return nil
}

// ask sends a request and reads the answer. After an error there is no child any more.
func (w *Worker) ask(r Request) (*answer, error) {
	w.answers.N = mostOutput
	var a answer
	err := w.encoder.Encode(r)
	if err == nil {
		err = w.decoder.Decode(&a)
	}
	if err == nil {
		return &a, nil
	}
	if w.answers.N <= 0 {
		_ = w.end(true)
		return nil, fmt.Errorf("it prints more than the limit of %d MiB; look for what makes so many or so large objects", mostOutput>>20)
	}
	if ended := w.end(false); ended != nil {
		return nil, fmt.Errorf("rendering in a process of its own: %w", ended)
	}
	return nil, fmt.Errorf("reading what another process has rendered: %w", err)
}

// end ends the child, by force or because there is no more for it to do.
func (w *Worker) end(kill bool) error {
	if w.process == nil {
		return nil
	}
	if kill {
		w.process.Kill()
	}
	err := w.process.Wait()
	w.process = nil
	return err
}

// Close ends the child. The worker can be used no more.
func (w *Worker) Close() {
	w.turn <- struct{}{}
	_ = w.end(true)
}

type workerKey struct{}

// With gives the stages below ctx a worker for input that is not ours.
func With(ctx context.Context, w *Worker) context.Context {
	return context.WithValue(ctx, workerKey{}, w)
}

// RunForeign runs a request whose values or overlays are not ours: by the worker of
// ctx, or in this process where there is none.
func (r Request) RunForeign(ctx context.Context) (*Result, error) {
	if w, ok := ctx.Value(workerKey{}).(*Worker); ok {
		return w.Run(ctx, r)
	}
	return r.Run(ctx)
}
