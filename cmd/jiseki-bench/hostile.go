package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// hostileCommand attacks a gateway from many addresses of this machine and measures what the honest have of it. The
// gateway is this program again, in a process of its own; attackers and the honest user are in this one and take their
// share of the processors.
type hostileCommand struct {
	JSON      bool     `help:"Print one JSON object a line."`
	Seconds   float64  `help:"How long each attack lasts." default:"20"`
	Addresses []int    `help:"From how many addresses of 127.0.0.0/8, or in 'seats' by how many users." default:"4,64"`
	Only      []string `help:"Attacks to run: bodies, seats, lock-out, hashing, connections."`
}

// hostileResult is what one attack did.
type hostileResult struct {
	Attack    string  `json:"attack"`
	Addresses int     `json:"addresses"`
	Seconds   float64 `json:"seconds"`
	Tries     int64   `json:"tries"`         // of the attackers
	RSSBefore float64 `json:"rss_before_mb"` // of the gateway when the attack began
	RSSPeak   float64 `json:"rss_peak_mb"`
	CalmP50   float64 `json:"calm_p50_ms"` // honest sign-ins before the attack
	SignIns   int     `json:"sign_ins"`    // honest ones during the attack
	Refused   int     `json:"sign_ins_refused"`
	P50       float64 `json:"p50_ms"` // of those that were not refused
	Max       float64 `json:"max_ms"`
	Seats     int     `json:"seats"`      // of the gateway
	SeatsLeft int     `json:"seats_left"` // at the end of the attack
	Why       string  `json:"why,omitempty"`
}

const (
	// signInEvery is how often the honest user signs in during an attack, signInLimit how long he waits for an answer.
	signInEvery = time.Second
	signInLimit = 20 * time.Second
	calmSignIns = 5
	// setUp bounds what comes before an attack.
	setUp = 3 * time.Minute
)

// Run attacks a new gateway with each attack from each number of addresses.
func (c *hostileCommand) Run(out io.Writer) error {
	if c.Seconds <= 0 || c.Seconds > 600 || slices.ContainsFunc(c.Addresses, func(n int) bool { return n < 1 || n > 250 }) {
		return errors.New("want up to 600 seconds and 1 to 250 addresses")
	}
	for _, name := range c.Only {
		if !slices.ContainsFunc(attacks, func(a attack) bool { return a.name == name }) {
			return fmt.Errorf("no attack is called %s", name)
		}
	}
	var results []hostileResult
	for _, a := range attacks {
		if len(c.Only) > 0 && !slices.Contains(c.Only, a.name) {
			continue
		}
		for _, n := range c.Addresses {
			r, err := c.measure(a, n)
			if err != nil {
				return fmt.Errorf("%s from %d addresses: %w", a.name, n, err)
			}
			results = append(results, r)
		}
	}
	if c.JSON {
		for _, r := range results {
			if err := json.NewEncoder(out).Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	return c.print(out, results)
}

func (c *hostileCommand) measure(a attack, n int) (r hostileResult, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), setUp+time.Duration(c.Seconds*float64(time.Second)))
	defer cancel()
	s, err := besiege(ctx, a.costly, n)
	if err != nil {
		return r, err
	}
	defer s.close()
	r = hostileResult{Attack: a.name, Addresses: n, Seconds: c.Seconds, Seats: s.seats}
	if a.prepare != nil {
		if err := s.try(func(t *host) { a.prepare(t, s) }); err != nil {
			return r, err
		}
	}
	var calm []time.Duration
	for range calmSignIns {
		took, err := s.signIn(ctx)
		if err != nil {
			return r, fmt.Errorf("sign in before the attack: %w", err)
		}
		calm = append(calm, took)
	}
	slices.Sort(calm)
	r.CalmP50 = percentile(calm, 0.5)
	if r.RSSBefore, err = s.memory("VmRSS"); err != nil {
		return r, err
	}
	c.underAttack(ctx, a, s, &r)
	if r.RSSPeak, err = s.memory("VmHWM"); err != nil {
		return r, err
	}
	r.Tries = s.tries.Load()
	return r, nil
}

// underAttack signs in again and again until the time of the attack is over.
func (c *hostileCommand) underAttack(ctx context.Context, a attack, s *siege, r *hostileResult) {
	attackTime, cancel := context.WithTimeout(ctx, time.Duration(c.Seconds*float64(time.Second)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.run(attackTime, s)
	}()
	why := make(map[string]int)
	var took []time.Duration
	for attackTime.Err() == nil {
		begun := time.Now()
		one, err := s.signIn(ctx)
		r.SignIns++
		if err != nil {
			r.Refused++
			why[reasonOf(err)]++
		} else {
			took = append(took, one)
		}
		pause(attackTime, signInEvery-time.Since(begun))
	}
	var err error
	if r.SeatsLeft, err = s.seatsLeft(ctx); err != nil {
		why["seats: "+err.Error()]++
	}
	cancel()
	<-done
	slices.Sort(took)
	r.P50, r.Max = percentile(took, 0.5), percentile(took, 1)
	for reason, n := range why {
		r.Why += fmt.Sprintf("%d %s; ", n, reason)
	}
	r.Why = strings.TrimSuffix(r.Why, "; ")
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (c *hostileCommand) print(out io.Writer, results []hostileResult) error {
	fmt.Fprintf(out, "%s\n%v s each; attackers, an honest user with an enrolled device at 127.0.0.1, and the gateway share the machine\n\n", machine(), c.Seconds)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "attack\taddresses\ttries\tRSS before MB\tRSS peak MB\tcalm p50 ms\tsign-ins\trefused\tp50 ms\tmax ms\tseats left\t")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d\t%d\t%.0f\t%.0f\t%.0f\t%d\t%d\t%.0f\t%.0f\t%d of %d\t\n", r.Attack, r.Addresses, r.Tries,
			r.RSSBefore, r.RSSPeak, r.CalmP50, r.SignIns, r.Refused, r.P50, r.Max, r.SeatsLeft, r.Seats)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		if r.Why != "" {
			fmt.Fprintf(out, "%s from %d: %s\n", r.Attack, r.Addresses, r.Why)
		}
	}
	return nil
}
