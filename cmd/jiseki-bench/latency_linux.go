package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"jiseki/internal/cert"
	"jiseki/internal/keys"
	"jiseki/internal/screen"
	"jiseki/internal/viewer"
	"jiseki/internal/x11"
)

// latencyCommand measures the time from a key to the pixel that it changes: a viewer presses a key, a program on the
// desk flips a colour, and the colour shows in the viewer's picture.
type latencyCommand struct {
	JSON    bool          `help:"Print one JSON object a line."`
	Samples int           `help:"Keys for each load." default:"200"`
	Delay   time.Duration `help:"What the line between viewer and gateway adds, each way."`
	Rate    string        `help:"What the line carries each way, such as 10mbit or 500kbit; default: no limit."`
	Load    []string      `help:"What else happens on the desk: idle, video (640x360 of noise at 24 frames a second)." default:"idle,video" enum:"idle,video"`
	Size    string        `help:"Size of the desk." default:"1920x1080"`
}

type latencyResult struct {
	Load    string  `json:"load"`
	Samples int     `json:"samples"`
	Median  float64 `json:"median_ms"`
	P95     float64 `json:"p95_ms"`
	Max     float64 `json:"max_ms"`
}

const (
	sampleLimit = 10 * time.Second // for one key; longer is a failure
	flipSide    = 32               // of the square that changes its colour
)

// Run measures each load in a session of its own and prints all.
func (c *latencyCommand) Run(out io.Writer) error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, err := parseSize(c.Size)
	if err != nil {
		return err
	}
	if c.Samples < 1 {
		return errors.New("want at least one sample")
	}
	var results []latencyResult
	for _, load := range c.Load {
		times, err := c.measure(size, line, load)
		if err != nil {
			return fmt.Errorf("%s: %w", load, err)
		}
		slices.Sort(times)
		results = append(results, latencyResult{
			Load: load, Samples: len(times), Median: percentile(times, 0.5), P95: percentile(times, 0.95), Max: percentile(times, 1),
		})
	}
	return c.print(out, results)
}

func (c *latencyCommand) print(out io.Writer, results []latencyResult) error {
	if c.JSON {
		for _, r := range results {
			if err := json.NewEncoder(out).Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	fmt.Fprintf(out, "%s\nkey to pixel, desk of %s, line: %v and %s each way\n\n", machine(), c.Size, c.Delay, cmp.Or(c.Rate, "no limit"))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "load\tsamples\tmedian ms\tp95 ms\tmax ms\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%.2f\t%.2f\t\n", r.Load, r.Samples, r.Median, r.P95, r.Max)
	}
	return w.Flush()
}

func (c *latencyCommand) line() (deskLine, error) {
	l := deskLine{delay: c.Delay}
	if c.Rate == "" {
		return l, nil
	}
	for unit, factor := range map[string]float64{"kbit": 1e3, "mbit": 1e6, "gbit": 1e9} {
		number, found := strings.CutSuffix(strings.ToLower(c.Rate), unit)
		if n, err := strconv.ParseFloat(number, 64); found && err == nil && n > 0 {
			l.rate = n * factor / 8
			return l, nil
		}
	}
	return l, fmt.Errorf("rate %q is not like 10mbit", c.Rate)
}

func parseSize(s string) (p screen.Point, err error) {
	if _, err := fmt.Sscanf(s, "%dx%d", &p.X, &p.Y); err != nil || p.X < 640 || p.Y < 480 {
		return p, fmt.Errorf("size %q is not like 1920x1080", s)
	}
	return p, nil
}

func tlsOf(b *cert.Bundle) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: b.Pool()}
}

// A probe notes when a pixel of the viewer's picture has a colour.
type probe struct {
	at image.Point

	mu   sync.Mutex
	want uint32
	seen chan time.Time // has room for one; nil while nothing is awaited
}

func (p *probe) shown(s viewer.Shown) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil || p.at.X >= s.Picture.Size.X || p.at.Y >= s.Picture.Size.Y {
		return
	}
	b := s.Picture.Row(p.at.Y, p.at.X, p.at.X+1)
	if uint32(b[0])|uint32(b[1])<<8|uint32(b[2])<<16 == p.want {
		p.seen <- time.Now()
		p.seen = nil
	}
}

func (p *probe) await(colour uint32) <-chan time.Time {
	seen := make(chan time.Time, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.want, p.seen = colour, seen
	return seen
}

// measure takes the samples of one load.
func (c *latencyCommand) measure(size screen.Point, line deskLine, load string) (times []time.Duration, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := &probe{at: image.Pt(size.X-64+flipSide/2, size.Y-64+flipSide/2)}
	d, err := openDesk(ctx, size, line, p.shown)
	if err != nil {
		return nil, err
	}
	defer d.close()
	f, err := newFlipper(d, p.at.Sub(image.Pt(flipSide/2, flipSide/2)))
	if err != nil {
		return nil, err
	}
	defer f.close()
	if load == "video" {
		stop, err := playNoise(d)
		if err != nil {
			return nil, err
		}
		defer stop()
	}
	for i := range c.Samples + 3 { // the first warm up
		t, err := sample(ctx, d, p, f.next())
		if err != nil {
			return nil, fmt.Errorf("sample %d: %w", i, err)
		}
		if i >= 3 {
			times = append(times, t)
		}
	}
	return times, nil
}

// sample presses a key and returns how long its pixel took.
func sample(ctx context.Context, d *benchDesk, p *probe, colour uint32) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleLimit)
	defer cancel()
	// Not in step with anything that has a period.
	pause := time.NewTimer(30*time.Millisecond + rand.N(70*time.Millisecond))
	defer pause.Stop()
	<-pause.C
	seen := p.await(colour)
	began := time.Now()
	if err := d.viewer.Key(ctx, keys.Space, true); err != nil {
		return 0, err
	}
	select {
	case at := <-seen:
		return at.Sub(began), d.viewer.Key(ctx, keys.Space, false)
	case err := <-d.failed:
		return 0, err
	case <-ctx.Done():
		return 0, errors.New("the pixel did not change")
	}
}

// A flipper is a program on the desk that changes its colour at each key.
type flipper struct {
	conn    *x11.Conn
	pressed chan struct{}
	done    sync.WaitGroup
	colour  uint32 // the next
}

const (
	colourA = 0x20a040
	colourB = 0xe0c020
)

func newFlipper(d *benchDesk, at image.Point) (*flipper, error) {
	f := &flipper{pressed: make(chan struct{}, 16), colour: colourA}
	var err error
	f.conn, err = d.client(func(e x11.Event) {
		if e.Type() == x11.KeyPress {
			f.pressed <- struct{}{}
		}
	})
	if err != nil {
		return nil, err
	}
	square := image.Rectangle{Max: image.Pt(flipSide, flipSide)}
	win, err := f.conn.CreateWindow(square.Add(at), x11.Attributes{Background: colourB, OverrideRedirect: true, Events: x11.MaskKeys})
	if err != nil {
		return nil, err
	}
	gc, err := f.conn.CreateContext(colourA)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.conn.MapWindow(win), f.conn.Sync()); err != nil {
		return nil, err
	}
	if err := f.conn.SetFocus(win); err != nil {
		return nil, err
	}
	f.done.Go(func() {
		colour := uint32(colourA)
		for range f.pressed {
			if errors.Join(f.conn.SetColour(gc, colour), f.conn.FillRect(win, gc, square)) != nil {
				return // the sample that waits for it says so
			}
			colour = colourA + colourB - colour
		}
	})
	return f, nil
}

// next is the colour after the next key.
func (f *flipper) next() uint32 {
	c := f.colour
	f.colour = colourA + colourB - c
	return c
}

func (f *flipper) close() {
	f.conn.Close()
	close(f.pressed)
	f.done.Wait()
}

// playNoise draws 640x360 pixels of noise, 24 times a second, in the middle of the desk, until stop is called.
func playNoise(d *benchDesk) (stop func(), err error) {
	conn, err := d.client(nil)
	if err != nil {
		return nil, err
	}
	size := image.Pt(640, 360)
	win, err := conn.CreateWindow(image.Rectangle{Max: size}.Add(image.Pt(200, 100)), x11.Attributes{OverrideRedirect: true})
	if err != nil {
		return nil, err
	}
	gc, err := conn.CreateContext(0)
	if err != nil {
		return nil, err
	}
	if err := conn.MapWindow(win); err != nil {
		return nil, err
	}
	frames := make([][]byte, 4)
	for i := range frames {
		frames[i] = make([]byte, 4*size.X*size.Y)
		source := rand.New(rand.NewPCG(uint64(i), 1))
		for j := range frames[i] {
			frames[i][j] = byte(source.Uint32())
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var playing sync.WaitGroup
	playing.Go(func() {
		tick := time.NewTicker(time.Second / 24)
		defer tick.Stop()
		for i := 0; ; i++ {
			if errors.Join(conn.PutPicture(win, gc, image.Point{}, size, frames[i%len(frames)]), conn.Sync()) != nil {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		playing.Wait()
		conn.Close()
	}, nil
}
