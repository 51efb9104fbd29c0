package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// relayCommand measures what forwarding costs. The server under test is this program again, in a process of its own,
// so that CPU and memory are its own; viewers and agents are in this one.
type relayCommand struct {
	JSON    bool    `help:"Print one JSON object a line."`
	Pairs   int     `help:"Sessions, each with two links a side." default:"50"`
	Bytes   int     `help:"Size of a message from agent to viewer; each is answered by 80 bytes, as updates are acknowledged." default:"8192"`
	Rate    float64 `help:"Messages a second and session." default:"20"`
	Seconds float64 `help:"How long to measure." default:"10"`
}

// relayResult is what one kind of server cost.
type relayResult struct {
	What       string  `json:"what"` // relay, or tls-copy: a bare loop that copies between two TLS connections
	Pairs      int     `json:"pairs"`
	CPUPerGB   float64 `json:"cpu_s_per_gb"` // of 1e9 bytes delivered, both directions
	AddedP50   float64 `json:"added_p50_ms"` // more than over one TLS connection without a server between, same load
	AddedP99   float64 `json:"added_p99_ms"`
	RSS        float64 `json:"rss_mb"` // of the server with all links open
	PerPairKB  float64 `json:"rss_kb_per_pair"`
	MBPerS     float64 `json:"mb_per_s"`
	DirectP50  float64 `json:"direct_p50_ms"` // of the one connection without a server
	DirectP99  float64 `json:"direct_p99_ms"`
	Behind     int     `json:"late_messages"` // sent more than 100 ms after their time: this machine could not keep the rate
	ServerCPUs float64 `json:"server_cores"`  // CPU time of the server by time
}

// Run measures relay and bare copy loop under the same load and prints both.
func (c *relayCommand) Run(out io.Writer) error {
	if c.Pairs < 1 || c.Bytes < 8 || c.Bytes > 64<<10 || c.Rate <= 0 || c.Seconds <= 0 {
		return errors.New("want pairs of at least 1, bytes from 8 to 65536, a rate and seconds above 0")
	}
	direct, err := c.measure(modeDirect)
	if err != nil {
		return fmt.Errorf("direct: %w", err)
	}
	var results []relayResult
	for _, mode := range []string{modeRelay, modeCopy} {
		m, err := c.measure(mode)
		if err != nil {
			return fmt.Errorf("%s: %w", mode, err)
		}
		results = append(results, c.result(mode, m, direct))
	}
	if c.JSON {
		return printJSON(out, results)
	}
	return c.print(out, results)
}

func (c *relayCommand) result(mode string, m, direct *measured) relayResult {
	p50, p99 := percentile(m.latencies, 0.5), percentile(m.latencies, 0.99)
	d50, d99 := percentile(direct.latencies, 0.5), percentile(direct.latencies, 0.99)
	return relayResult{
		What: mode, Pairs: c.Pairs,
		CPUPerGB: m.cpu / (float64(m.bytes) / 1e9),
		AddedP50: p50 - d50, AddedP99: p99 - d99,
		RSS: m.rss / 1e6, PerPairKB: (m.rss - m.rssEmpty) / 1e3 / float64(c.Pairs),
		MBPerS:    float64(m.bytes) / 1e6 / m.seconds,
		DirectP50: d50, DirectP99: d99, Behind: m.late, ServerCPUs: m.cpu / m.seconds,
	}
}

// percentile returns the p-th part of sorted latencies, in milliseconds.
func percentile(sorted []time.Duration, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(p*float64(len(sorted)-1))].Seconds() * 1000
}

func printJSON(out io.Writer, results []relayResult) error {
	for _, r := range results {
		if err := json.NewEncoder(out).Encode(r); err != nil {
			return err
		}
	}
	return nil
}

func (c *relayCommand) print(out io.Writer, results []relayResult) error {
	fmt.Fprintf(out, "%s\n%d sessions, %v messages/s of %d bytes each, %v s\n\n", machine(), c.Pairs, c.Rate, c.Bytes, c.Seconds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "what\tMB/s\tCPU s/GB\tadded p50 ms\tadded p99 ms\tRSS MB\tkB/pair\tlate\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%.1f\t%.2f\t%.2f\t%.2f\t%.1f\t%.0f\t%d\t\n",
			r.What, r.MBPerS, r.CPUPerGB, r.AddedP50, r.AddedP99, r.RSS, r.PerPairKB, r.Behind)
	}
	return w.Flush()
}

// measured is what one run gave.
type measured struct {
	latencies     []time.Duration // sorted, agent to viewer
	bytes         int64           // delivered in the measured time, both directions
	late          int
	seconds       float64
	cpu           float64 // seconds, of the server
	rss, rssEmpty float64 // bytes, of the server
}

// measure runs the load over one kind of server.
func (c *relayCommand) measure(mode string) (*measured, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	server, err := startServer(ctx, mode, c.Pairs)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	m := &measured{}
	if m.rssEmpty, _, err = server.usage(); err != nil {
		return nil, err
	}
	load, err := connectLoad(ctx, c, server)
	if err != nil {
		return nil, err
	}
	defer load.close() // again, where measuring fails
	load.start(ctx)
	time.Sleep(time.Second) // until all goroutines, buffers and TLS records have their size
	_, before, err := server.usage()
	if err != nil {
		return nil, err
	}
	begun := load.record()
	time.Sleep(time.Duration(c.Seconds * float64(time.Second)))
	m.seconds = load.end(begun)
	var after float64
	if m.rss, after, err = server.usage(); err != nil {
		return nil, err
	}
	m.cpu = after - before
	load.close()
	if err := load.collect(m); err != nil {
		return nil, err
	}
	slices.Sort(m.latencies)
	return m, nil
}
