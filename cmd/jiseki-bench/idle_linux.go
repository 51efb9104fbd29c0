package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"jiseki/internal/viewer"
)

// idleCommand measures what an agent with one viewer costs while the screen stands still.
type idleCommand struct {
	JSON    bool    `help:"Print one JSON object."`
	Seconds float64 `help:"How long to measure." default:"20"`
	Size    string  `help:"Size of the desk." default:"1920x1080"`
}

type idleResult struct {
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"agent_cpu_percent"` // of one core
	BytesS  float64 `json:"relay_bytes_per_s"` // on the agent's two links, both ways, with TLS
	RSS     float64 `json:"agent_rss_mb"`
	Updates uint32  `json:"updates"` // that were sent meanwhile
}

// Run opens a session, waits until the picture is settled, and measures.
func (c *idleCommand) Run(out io.Writer) error {
	size, err := parseSize(c.Size)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	d, err := openDesk(ctx, size, deskLine{}, nil)
	if err != nil {
		return err
	}
	defer d.close()
	settle := time.NewTimer(2 * time.Second) // the capture reads the whole screen once more
	<-settle.C
	r, err := c.measure(d)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(out).Encode(r)
	}
	_, err = fmt.Fprintf(out, "%s\nagent with one viewer, still screen of %s, %.0f s: %.2f %% of a core, %.0f bytes/s on its links to the relay, RSS %.1f MB, %d updates\n",
		machine(), c.Size, r.Seconds, r.CPU, r.BytesS, r.RSS, r.Updates)
	return err
}

func (c *idleCommand) measure(d *benchDesk) (r idleResult, err error) {
	pid := d.agent.Process.Pid
	seq := func() (n uint32) { d.viewer.Look(func(s viewer.State) { n = s.Seq }); return n }
	began, bytes, updates := time.Now(), d.wire.Load(), seq()
	cpu, err := processTime(pid)
	if err != nil {
		return r, err
	}
	wait := time.NewTimer(time.Duration(c.Seconds * float64(time.Second)))
	defer wait.Stop()
	select {
	case <-wait.C:
	case err := <-d.failed:
		return r, err
	}
	after, err := processTime(pid)
	if err != nil {
		return r, err
	}
	r.Seconds = time.Since(began).Seconds()
	r.CPU = (after - cpu).Seconds() / r.Seconds * 100
	r.BytesS = float64(d.wire.Load()-bytes) / r.Seconds
	r.Updates = seq() - updates
	r.RSS, err = processMemory(pid)
	return r, err
}

// processTime is the CPU time of a process. Its unit is the kernel's tick of 10 ms.
func processTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, found := strings.Cut(string(b), ") ") // the name before may hold anything
	fields := strings.Fields(rest)
	if !found || len(fields) < 13 {
		return 0, errors.New("malformed /proc/pid/stat")
	}
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// processMemory is the resident memory of a process in MB (1e6 bytes).
func processMemory(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			return float64(kb) * 1024 / 1e6, err
		}
	}
	return 0, errors.New("no VmRSS")
}
