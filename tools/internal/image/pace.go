package image

import (
	"bytes"
	"compress/flate"
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/strake-dev/strake/tools/internal/catalog"
	"github.com/strake-dev/strake/tools/internal/oci"
	"github.com/strake-dev/strake/tools/internal/progress"
)

// parallel is how much of a processor a compile uses on average: linking is one thread.
const parallel = 0.8

// Expect tells the [progress.Work] of ctx which images of the versions [Build] is going
// to compile, and how long each of them takes by what is recorded.
func Expect(ctx context.Context, c catalog.Costs, mirrors []*oci.Mirror, versions ...*catalog.Version) error {
	for _, v := range versions {
		missing, err := Uncompiled(ctx, v, mirrors)
		if err != nil {
			return err
		}
		for _, locked := range missing {
			expected := job(v, locked)
			expected.Expected = Elapsed(Pace(c, c.Compile(v.Package.Name, locked.Name)))
			progress.Expect(ctx, expected)
		}
	}
	return nil
}

// Unneeded takes back what [Expect] said of a version.
func Unneeded(ctx context.Context, v *catalog.Version) {
	for _, locked := range lockedImages(v) {
		progress.Drop(ctx, job(v, locked).ID)
	}
}

// expect is [Expect] for [Lock], which has no digests yet.
func (w *workshop) expect(ctx context.Context, o Options) error {
	planned := &catalog.ImagesLock{Source: catalog.FromModule}
	for _, img := range w.version.Offered() {
		if img.From != "" {
			continue
		}
		key, err := hashInputs(w.version, img, o.Platforms, w.toolchain.Version, w.base.digest)
		if err != nil {
			return err
		}
		planned.Images = append(planned.Images, catalog.LockedImage{Name: img.Name, Inputs: key})
	}
	v := *w.version
	v.Images = planned
	return Expect(ctx, o.Costs, nil, &v)
}

// job is the compiling of one image. Two versions may have the same one.
func job(v *catalog.Version, locked catalog.LockedImage) progress.Job {
	return progress.Job{ID: locked.Inputs, Name: v.Package.Name + "/" + locked.Name}
}

// Pace converts recorded CPU-seconds into those of this machine.
func Pace(c catalog.Costs, cpu int) int {
	if cpu == 0 || c.Calibration == 0 {
		return cpu
	}
	return int(float64(cpu) * float64(calibrated().Milliseconds()) / float64(c.Calibration))
}

// Elapsed is how long a compile of so many CPU-seconds takes where nothing else runs.
func Elapsed(cpu int) time.Duration {
	return time.Duration(float64(cpu) / (parallel * float64(runtime.NumCPU())) * float64(time.Second))
}

// calibrated measures once: a second measurement would tell nothing new.
var calibrated = sync.OnceValue(calibrate) //nolint:gochecknoglobals // it is a fact about the machine

// calibrate is the CPU time of a fixed piece of work: the best of three runs, since other
// programs disturb.
func calibrate() time.Duration {
	words := rand.New(rand.NewPCG(1, 2))
	text := make([]byte, 4<<20)
	for i := range text {
		text[i] = byte('a' + words.IntN(16))
	}
	var best time.Duration
	for range 3 {
		before := cpuTime()
		w, _ := flate.NewWriter(io.Discard, flate.DefaultCompression) // fails only for an unknown level
		_, _ = io.Copy(w, bytes.NewReader(text))
		if took := cpuTime() - before; best == 0 || took < best {
			best = took
		}
	}
	return best
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
