package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"jiseki/internal/codec"
	"jiseki/internal/screen"
	"jiseki/internal/trace"
)

// slicePixels is how much an update codes at most, as the agent does on a fast line.
const slicePixels = 1 << 18

type codecCommand struct {
	JSON   bool     `help:"Print one JSON object a line."`
	Coder  string   `help:"The coder to measure." default:"q2z"`
	Traces []string `arg:"" name:"trace" help:"Traces in the PBT1 format." type:"existingfile"`
}

// codecResult is what replaying one trace gave. Times are CPU milliseconds of one thread.
type codecResult struct {
	Trace           string  `json:"trace"`
	Coder           string  `json:"coder"`
	Updates         int     `json:"updates"`     // of all pictures after the first
	FirstBytes      int     `json:"first_bytes"` // of the first picture
	RestBytes       int     `json:"rest_bytes"`  // of all pictures after the first
	Encode          summary `json:"encode_ms"`
	Decode          summary `json:"decode_ms"`
	AllocsPerUpdate float64 `json:"allocs_per_update"` // heap allocations of the encoder
	BitExact        bool    `json:"bit_exact"`         // every picture, and the trace's own hash of the last
}

// A summary is the mean, the 95th percentile and the maximum of times in milliseconds.
type summary struct {
	Mean float64 `json:"mean"`
	P95  float64 `json:"p95"`
	Max  float64 `json:"max"`
}

// Run replays the traces; it fails if a picture is not bit-exact.
func (c *codecCommand) Run(out io.Writer) error {
	coder, err := codec.ParseCoder(c.Coder)
	if err != nil {
		return err
	}
	var results []codecResult
	for _, path := range c.Traces {
		r, err := replay(path, coder)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		results = append(results, r)
		if c.JSON {
			if err := json.NewEncoder(out).Encode(r); err != nil {
				return err
			}
		}
	}
	if !c.JSON {
		if err := printCodec(out, results); err != nil {
			return err
		}
	}
	for _, r := range results {
		if !r.BitExact {
			return fmt.Errorf("%s is not bit-exact", r.Trace)
		}
	}
	return nil
}

func printCodec(out io.Writer, results []codecResult) error {
	fmt.Fprintln(out, machine())
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "trace\tcoder\tupdates\tfirst bytes\trest bytes\tencode ms mean\tp95\tmax\tdecode ms mean\tp95\tmax\tallocs/update\tbit-exact\t")
	total := codecResult{Trace: "total", BitExact: true}
	for _, r := range results {
		total.Coder = r.Coder
		total.Updates += r.Updates
		total.FirstBytes += r.FirstBytes
		total.RestBytes += r.RestBytes
		total.Encode.add(r.Encode, r.Updates)
		total.Decode.add(r.Decode, r.Updates)
		total.AllocsPerUpdate += r.AllocsPerUpdate * float64(r.Updates)
		total.BitExact = total.BitExact && r.BitExact
		r.print(w)
	}
	if n := float64(total.Updates); n > 0 {
		total.Encode.Mean /= n
		total.Decode.Mean /= n
		total.AllocsPerUpdate /= n
	}
	total.print(w)
	return w.Flush()
}

// add sums means weighted by their counts; the percentile of a total is the worst one.
func (s *summary) add(t summary, n int) {
	s.Mean += t.Mean * float64(n)
	s.P95 = max(s.P95, t.P95)
	s.Max = max(s.Max, t.Max)
}

func (r codecResult) print(w io.Writer) {
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t%t\t\n", r.Trace, r.Coder, r.Updates, r.FirstBytes, r.RestBytes,
		r.Encode.Mean, r.Encode.P95, r.Encode.Max, r.Decode.Mean, r.Decode.P95, r.Decode.Max, r.AllocsPerUpdate, r.BitExact)
}

// A replayer runs one trace through an encoder and a decoder that share nothing but the updates.
type replayer struct {
	trace   *trace.Reader
	encoder *codec.Encoder
	decoder *codec.Decoder
	update  []byte
	encode  []time.Duration
	decode  []time.Duration
	mallocs uint64
	now     time.Duration // in the trace
	result  codecResult
}

func replay(path string, coder codec.Coder) (_ codecResult, err error) {
	runtime.LockOSThread() // CPU time is counted for this thread
	defer runtime.UnlockOSThread()
	t, err := trace.Open(path)
	if err != nil {
		return codecResult{}, err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	p := &replayer{trace: t}
	p.result = codecResult{Trace: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), Coder: coder.String(), BitExact: true}
	config := codec.Config{Coder: coder, Size: t.Size, Now: func() time.Time { return time.Time{}.Add(p.now) }}
	if p.encoder, err = codec.NewEncoder(config); err != nil {
		return p.result, err
	}
	if p.decoder, err = codec.NewDecoder(config); err != nil {
		return p.result, err
	}
	defer p.decoder.Close()
	return p.result, p.run()
}

func (p *replayer) run() error {
	first := true
	for {
		record, err := p.trace.Next()
		if err != nil {
			return err
		}
		p.now = record.At
		switch record.Kind {
		case trace.KindEnd:
			p.result.BitExact = p.result.BitExact && trace.Hash(p.decoder.Picture()) == record.Hash
			p.result.Encode, p.result.Decode = summarise(p.encode), summarise(p.decode)
			p.result.AllocsPerUpdate = float64(p.mallocs) / float64(max(1, p.result.Updates))
			return nil
		case trace.KindFrame:
			if err := p.picture(record.Damage, first); err != nil {
				return err
			}
			first = false
		}
	}
}

// picture sends one picture in as many updates as it takes, and compares.
func (p *replayer) picture(damage []screen.Rect, first bool) error {
	pic := p.trace.Picture()
	for done := false; !done; {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := threadTime()
		var err error
		p.update, done, err = p.encoder.Encode(p.update[:0], pic, pic.Bounds(), damage, slicePixels)
		spent := threadTime() - start
		runtime.ReadMemStats(&after)
		if err != nil {
			return err
		}
		if len(p.update) == 0 {
			break
		}
		start = threadTime()
		if _, err := p.decoder.Decode(p.update); err != nil {
			return err
		}
		if first {
			p.result.FirstBytes += len(p.update)
			continue
		}
		p.decode = append(p.decode, threadTime()-start)
		p.encode = append(p.encode, spent)
		p.mallocs += after.Mallocs - before.Mallocs
		p.result.RestBytes += len(p.update)
		p.result.Updates++
	}
	p.result.BitExact = p.result.BitExact && bytes.Equal(pic.Pix, p.decoder.Picture().Pix)
	return nil
}

func summarise(d []time.Duration) summary {
	if len(d) == 0 {
		return summary{}
	}
	slices.Sort(d)
	sum := time.Duration(0)
	for _, v := range d {
		sum += v
	}
	ms := func(v time.Duration) float64 { return float64(v.Microseconds()) / 1000 }
	return summary{Mean: ms(sum / time.Duration(len(d))), P95: ms(d[len(d)*95/100]), Max: ms(d[len(d)-1])}
}
