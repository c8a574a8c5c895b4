package progress

import (
	"slices"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// liveLine is a line on a display whose text changes.
type liveLine interface {
	// Changed says that the text is news.
	Changed()
	// Done takes the line away.
	Done()
}

// live shows what text returns, where the reporter can.
func live(r Reporter, text func() string) liveLine {
	if l, ok := r.(interface {
		live(text func() string) liveLine
	}); ok {
		return l.live(text)
	}
	return noLine{}
}

type noLine struct{}

func (noLine) Changed() {}
func (noLine) Done()    {}

// lastLine puts a live line below all bars.
const lastLine = 1 << 20

// live draws the text below the bars, and anew with each of mpb's frames.
func (b *bars) live(text func() string) liveLine {
	bar := b.add(nil,
		mpb.BarPriority(lastLine), mpb.BarRemoveOnComplete(), mpb.BarFillerTrim(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return text() })))
	if bar == nil {
		return noLine{}
	}
	return &barLine{bar: bar}
}

type barLine struct{ bar *mpb.Bar }

func (l *barLine) Changed() {}
func (l *barLine) Done()    { l.bar.Abort(true) }

// plainHeartbeat is how often a live line is written while nothing changes.
const plainHeartbeat = time.Minute

// live writes the text when it changed, and after a silence.
func (p *plain) live(text func() string) liveLine {
	l := &plainLine{plain: p, text: text}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, l)
	return l
}

type plainLine struct {
	plain *plain
	text  func() string
	said  time.Time
}

func (l *plainLine) Changed() {
	text := l.text()
	l.plain.mu.Lock()
	defer l.plain.mu.Unlock()
	l.write(text)
}

// write needs plain.mu.
func (l *plainLine) write(text string) {
	if text != "" {
		l.said = time.Now()
		l.plain.line("%s", text)
	}
}

func (l *plainLine) Done() {
	l.plain.mu.Lock()
	defer l.plain.mu.Unlock()
	l.plain.lines = slices.DeleteFunc(l.plain.lines, func(o *plainLine) bool { return o == l })
}

// beat writes the lines that were silent for long.
func (p *plain) beat() {
	p.mu.Lock()
	lines := slices.Clone(p.lines)
	p.mu.Unlock()
	for _, l := range lines {
		text := l.text()
		p.mu.Lock()
		if time.Since(l.said) >= plainHeartbeat && slices.Contains(p.lines, l) {
			l.write(text)
		}
		p.mu.Unlock()
	}
}
