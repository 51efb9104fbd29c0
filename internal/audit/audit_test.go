package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"jiseki/internal/audit"
	"jiseki/internal/cert"
)

var start = time.UnixMilli(1_790_000_000_000)

// chain makes n events.
func chain(t testing.TB, n int) []audit.Event {
	t.Helper()
	var head audit.Mark
	var all []audit.Event
	for i := range n {
		e, err := audit.Entry{
			Kind: audit.SignIn, Actor: "user:tanaka", Subject: "user:tanaka", Outcome: audit.Done, Details: audit.Details{"place": "home"},
		}.Seal(head, start.Add(time.Duration(i)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		head = e.Mark()
		all = append(all, e)
	}
	return all
}

func each(events []audit.Event) iter.Seq2[audit.Event, error] {
	return func(yield func(audit.Event, error) bool) {
		for i := range events {
			if !yield(events[i], nil) {
				return
			}
		}
	}
}

func verify(t *testing.T, events []audit.Event, against audit.Against) audit.Report {
	t.Helper()
	r, err := audit.Verify(each(events), against)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestVerifyFindsEveryTampering(t *testing.T) {
	good := chain(t, 10)
	k := key(t)
	signed := func(m audit.Mark) audit.Against { return audit.Against{Kept: kept(t, k, m)} }
	stored := good[9].Mark()
	other := chain(t, 11)[10].Mark()
	// A forger who rewrites event 5 and computes all later hashes anew.
	forged := slices.Clone(good[:4])
	head := good[3].Mark()
	for range 6 {
		e, err := audit.Entry{Kind: audit.SignOut, Actor: "user:x", Outcome: audit.Done}.Seal(head, start.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		forged, head = append(forged, e), e.Mark()
	}
	change := func(at int, f func(*audit.Event)) []audit.Event {
		c := slices.Clone(good)
		f(&c[at])
		return c
	}
	line, err := audit.ParseLine(good[6].Mark().Line())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		events  []audit.Event
		against audit.Against
		at      uint64
	}{
		"deleted":           {slices.Delete(slices.Clone(good), 4, 5), audit.Against{}, 5},
		"first deleted":     {good[1:], audit.Against{}, 1},
		"swapped":           {slices.Concat(good[:4], []audit.Event{good[5], good[4]}, good[6:]), audit.Against{}, 5},
		"twice":             {slices.Concat(good[:5], good[4:]), audit.Against{}, 5},
		"kind":              {change(3, func(e *audit.Event) { e.Kind = audit.SignOut }), audit.Against{}, 4},
		"actor":             {change(3, func(e *audit.Event) { e.Actor = "user:suzuki" }), audit.Against{}, 4},
		"subject":           {change(3, func(e *audit.Event) { e.Subject = "" }), audit.Against{}, 4},
		"session":           {change(3, func(e *audit.Event) { e.Session = make([]byte, 16) }), audit.Against{}, 4},
		"outcome":           {change(3, func(e *audit.Event) { e.Outcome = audit.Refused }), audit.Against{}, 4},
		"code":              {change(3, func(e *audit.Event) { e.Code = "x" }), audit.Against{}, 4},
		"details":           {change(3, func(e *audit.Event) { e.Details = "{}" }), audit.Against{}, 4},
		"time":              {change(3, func(e *audit.Event) { e.TimeMS++ }), audit.Against{}, 4},
		"field moved":       {change(3, func(e *audit.Event) { e.Actor, e.Subject = e.Actor+e.Subject, "" }), audit.Against{}, 4},
		"truncated, stored": {good[:7], audit.Against{Stored: &stored}, 8},
		"truncated, signed": {good[:7], signed(stored), 8},
		"truncated, line":   {good[:5], audit.Against{Lines: []audit.Line{line}}, 6},
		"forged, no head":   {forged, audit.Against{}, 0}, // nobody can see it: why heads are copied
		"forged, stored":    {forged, audit.Against{Stored: &stored}, 10},
		"forged, signed":    {forged, signed(good[6].Mark()), 7},
		"forged, line":      {forged, audit.Against{Lines: []audit.Line{line}}, 7},
		"empty":             {nil, audit.Against{Stored: &stored}, 1},
		"later head":        {good, signed(other), 11},
	} {
		r := verify(t, c.events, c.against)
		switch {
		case c.at == 0 && r.Problem != nil:
			t.Errorf("%s: %v", name, r.Problem)
		case c.at != 0 && r.Problem == nil:
			t.Errorf("%s: not found", name)
		case c.at != 0 && r.Problem.At != c.at:
			t.Errorf("%s: at %d, want %d: %v", name, r.Problem.At, c.at, r.Problem)
		}
	}
	r := verify(t, good, audit.Against{Stored: &stored, Kept: kept(t, k, good[2].Mark(), stored), Lines: []audit.Line{line}})
	if r.Problem != nil || r.Checked != 10 || r.Last != stored {
		t.Errorf("good chain: %+v", r)
	}
	if r := verify(t, nil, audit.Against{Stored: &audit.Mark{}}); r.Problem != nil {
		t.Errorf("empty chain: %v", r.Problem)
	}
}

// kept are heads of the marks, signed with a key.
func kept(t testing.TB, k *cert.SignerKey, marks ...audit.Mark) audit.Kept {
	t.Helper()
	return audit.Kept{Keys: []cert.PublicKey{k.Public()}, Heads: func(yield func(audit.Head, error) bool) {
		for _, m := range marks {
			if h, err := m.Sign(k); !yield(h, err) {
				return
			}
		}
	}}
}

// TestSignaturesThatSaySomething: where heads fit, the newest one's signature stands for all; one that does not fit has to
// be signed itself. Heads come in any order, each as often as somebody kept it.
func TestSignaturesThatSaySomething(t *testing.T) {
	k, stranger := key(t), key(t)
	events, other := chain(t, 10), chain(t, 12)
	type line struct {
		mark audit.Mark
		by   *cert.SignerKey
	}
	good := func(e int) line { return line{events[e-1].Mark(), k} }
	forged := func(e int) line { return line{events[e-1].Mark(), stranger} }
	wrong := func(e int, by *cert.SignerKey) line { return line{audit.Mark{Number: uint64(e), TimeMS: 1}, by} } //nolint:gosec // small
	beyond := func(by *cert.SignerKey) line { return line{other[11].Mark(), by} }
	for name, c := range map[string]struct {
		lines []line
		at    uint64 // of the problem
		bad   bool   // the file is no good
	}{
		"none":                             {},
		"all":                              {lines: []line{good(1), good(2), good(2), good(7), good(10)}},
		"some":                             {lines: []line{good(3), good(8)}},
		"unsigned before the newest":       {lines: []line{forged(2), good(8)}},
		"unsigned newest":                  {lines: []line{good(2), forged(8)}, bad: true},
		"unsigned alone":                   {lines: []line{forged(8)}, bad: true},
		"another history":                  {lines: []line{good(2), wrong(4, k), good(8)}, at: 4},
		"another history, unsigned":        {lines: []line{good(2), wrong(4, stranger), good(8)}, bad: true},
		"beside the right one":             {lines: []line{good(4), wrong(4, k), good(8)}, at: 4},
		"beyond the end":                   {lines: []line{good(2), beyond(k)}, at: 11},
		"beyond the end, unsigned":         {lines: []line{good(2), beyond(stranger)}, bad: true},
		"out of order":                     {lines: []line{good(8), good(2), good(10), good(1), good(1)}},
		"out of order, another history":    {lines: []line{good(8), good(6), wrong(2, k)}, at: 2},
		"out of order, unsigned":           {lines: []line{good(8), wrong(2, stranger)}, bad: true},
		"after what lies beyond":           {lines: []line{beyond(k), good(2)}, at: 11},
		"behind the end, another history":  {lines: []line{good(10), wrong(3, k)}, at: 3},
		"behind the end, nobody signed it": {lines: []line{good(10), wrong(3, stranger)}, bad: true},
	} {
		r, err := audit.Verify(each(events), audit.Against{Kept: audit.Kept{Keys: []cert.PublicKey{k.Public()}, Heads: func(yield func(audit.Head, error) bool) {
			for _, l := range c.lines {
				h, err := l.mark.Sign(l.by)
				h.Issuer = k.Public().ID() // forgers say so
				if !yield(h, err) {
					return
				}
			}
		}}})
		switch {
		case c.bad != errors.Is(err, audit.ErrHead) || !c.bad && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.bad:
		case c.at == 0 && (r.Problem != nil || r.Heads != uint64(len(c.lines)) || r.Checked != 10):
			t.Errorf("%s: %+v", name, r)
		case c.at != 0 && (r.Problem == nil || r.Problem.At != c.at):
			t.Errorf("%s: %v, want a problem at %d", name, r.Problem, c.at)
		}
	}
}

// BenchmarkVerifyHeads holds events against a heads file with a line for each.
func BenchmarkVerifyHeads(b *testing.B) {
	const n = 100_000
	k := key(b)
	events := chain(b, n)
	path := filepath.Join(b.TempDir(), "heads")
	var file bytes.Buffer
	var h audit.Head
	for i := range events {
		h.Mark = events[i].Mark() // only the newest is signed
		if i == n-1 {
			h, _ = h.Sign(k)
		}
		line, err := json.Marshal(h)
		if err != nil {
			b.Fatal(err)
		}
		file.Write(append(line, '\n'))
	}
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r, err := audit.Verify(each(events), audit.Against{Kept: audit.Kept{Heads: audit.ReadHeads(path), Keys: []cert.PublicKey{k.Public()}}})
		if err != nil || r.Problem != nil || r.Heads != n {
			b.Fatalf("%+v, %v", r, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/head")
}

func TestVerifyReturnsTheReadersError(t *testing.T) {
	broken := errors.New("disk")
	_, err := audit.Verify(func(yield func(audit.Event, error) bool) { yield(audit.Event{}, broken) }, audit.Against{})
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestHashIsPinned: a changed encoding would make every old log look forged. The value was computed by another program.
func TestHashIsPinned(t *testing.T) {
	e, err := audit.Entry{
		Kind: audit.SessionGranted, Actor: "user:tanaka", Subject: "desk:k1", Session: []byte("0123456789abcdef"), Outcome: audit.Done,
		Code: "7", Details: audit.Details{"b": "<&>", "a": []string{"x"}, "n": 5},
	}.Seal(audit.Mark{Number: 41, TimeMS: 5, Hash: [32]byte{1, 2, 3}}, start)
	if err != nil {
		t.Fatal(err)
	}
	if e.Details != `{"a":["x"],"b":"<&>","n":5}` {
		t.Errorf("details %s", e.Details)
	}
	const want = "42-Z0YHD-DQY46-4F7NM-8G29G-DH"
	if got := e.Mark().Line(); got != want {
		t.Errorf("line %s, want %s", got, want)
	}
}

func TestSealRefuses(t *testing.T) {
	good := audit.Entry{Kind: audit.SignIn, Actor: "user:x", Outcome: audit.Done}
	for name, c := range map[string]struct {
		change func(*audit.Entry)
		want   error
	}{
		"no actor":   {func(e *audit.Entry) { e.Actor = "" }, audit.ErrForm},
		"no kind":    {func(e *audit.Entry) { e.Kind = "" }, audit.ErrForm},
		"no outcome": {func(e *audit.Entry) { e.Outcome = "" }, audit.ErrForm},
		"long":       {func(e *audit.Entry) { e.Subject = strings.Repeat("x", 257) }, audit.ErrForm},
		"not UTF-8":  {func(e *audit.Entry) { e.Code = "\xff" }, audit.ErrForm},
		"zero byte":  {func(e *audit.Entry) { e.Code = "a\x00" }, audit.ErrForm},
		"session":    {func(e *audit.Entry) { e.Session = []byte{1} }, audit.ErrForm},
		"big":        {func(e *audit.Entry) { e.Details = audit.Details{"x": strings.Repeat("x", 9000)} }, audit.ErrForm},
		"type":       {func(e *audit.Entry) { e.Details = audit.Details{"x": 1.5} }, audit.ErrForm},
		"password":   {func(e *audit.Entry) { e.Details = audit.Details{"new_password": "x"} }, audit.ErrSecret},
		"ticket":     {func(e *audit.Entry) { e.Details = audit.Details{"ticket": "x"} }, audit.ErrSecret},
	} {
		e := good
		c.change(&e)
		if _, err := e.Seal(audit.Mark{}, start); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"総務課", 7, "総務"}, {"a\nb\x00\xff", 9, "a?b??"}, {"", 3, ""}, {"abc", 3, "abc"}, {"é", 1, ""}, {"a\u009bb\u202e", 9, "a?b?"}} {
		if got := audit.Cut(c.in, c.n); got != c.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func TestEveryKindHasWords(t *testing.T) {
	src, err := os.ReadFile("kind.go")
	if err != nil {
		t.Fatal(err)
	}
	if declared := strings.Count(string(src), " Kind = \""); declared != len(audit.Kinds()) {
		t.Errorf("%d kinds declared, %d have words", declared, len(audit.Kinds()))
	}
	for _, k := range audit.Kinds() {
		ja, en := k.Words()
		if en == "" || !strings.ContainsFunc(ja, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Katakana, unicode.Hiragana) }) {
			t.Errorf("%s: %q, %q", k, ja, en)
		}
	}
}

func key(t testing.TB) *cert.SignerKey {
	t.Helper()
	k, err := cert.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestHeadSignatureAndForm(t *testing.T) {
	k, mark := key(t), chain(t, 3)[2].Mark()
	h, err := mark.Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	got, err := audit.ParseHead(h.Bytes())
	if err != nil || got != h {
		t.Fatalf("%v, %v", got, err)
	}
	keys := []cert.PublicKey{key(t).Public(), k.Public()}
	if err := got.Verify(keys); err != nil {
		t.Error(err)
	}
	if got.Verify(keys[:1]) == nil {
		t.Error("verifies with another key")
	}
	for i := range h.Bytes() {
		if _, err := audit.ParseHead(h.Bytes()[:i]); err == nil {
			t.Errorf("a head of %d bytes is read", i)
		}
		b := h.Bytes()
		b[i] ^= 1
		if x, err := audit.ParseHead(b); err == nil && x.Verify(keys) == nil {
			t.Errorf("verifies with bit %d changed", i*8)
		}
	}
	if _, err := audit.ParseHead(append(h.Bytes(), 0)); err == nil {
		t.Error("a trailing byte is read")
	}
}

func TestParseLineRefuses(t *testing.T) {
	m := chain(t, 3)[2].Mark()
	line := m.Line()
	for _, bad := range []string{"", "3", "3-", line[:len(line)-1], "4" + line[1:], "03" + line[1:], line + "0", "-" + line, "x" + line[1:]} {
		if _, err := audit.ParseLine(bad); !errors.Is(err, audit.ErrHead) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	l, err := audit.ParseLine(" " + strings.ToLower(strings.ReplaceAll(line, "-", " - ")) + " ")
	if err != nil || !l.Matches(m) || l.Matches(chain(t, 4)[3].Mark()) {
		t.Errorf("%v, %v", l, err)
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add(chain(f, 3)[2].Mark().Line())
	f.Fuzz(func(_ *testing.T, s string) { _, _ = audit.ParseLine(s) })
}

func FuzzParseHead(f *testing.F) {
	h, err := chain(f, 2)[1].Mark().Sign(key(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(h.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := audit.ParseHead(b); err == nil && !bytes.Equal(h.Bytes(), b) {
			t.Errorf("%x comes back as %x", b, h.Bytes())
		}
	})
}

func TestFileSinkSurvivesACrash(t *testing.T) {
	k := key(t)
	s := audit.FileSink{Path: filepath.Join(t.TempDir(), "heads")}
	var want []audit.Mark
	for _, e := range chain(t, 3) {
		h, err := e.Mark().Sign(k)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), h); err != nil {
			t.Fatal(err)
		}
		want = append(want, h.Mark)
	}
	f, err := os.OpenFile(s.Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`{"hash":"half of a li`)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if got := marks(t, s.Path); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	h, err := want[2].Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), h); err != nil { // after the half line
		t.Fatal(err)
	}
	if got := marks(t, s.Path); !slices.Equal(got, append(want, want[2])) {
		t.Errorf("after a torn line: %v", got)
	}
}

// marks reads a heads file.
func marks(t *testing.T, path string) (all []audit.Mark) {
	t.Helper()
	for h, err := range audit.ReadHeads(path) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, h.Mark)
	}
	return all
}

func TestSyslogSink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	c, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	k := key(t)
	h, err := chain(t, 1)[0].Mark().Sign(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := (audit.SyslogSink{Socket: path, Host: "gw"}).Put(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2048)
	n, _, err := c.ReadFrom(b)
	if err != nil {
		t.Fatal(err)
	}
	got := string(b[:n])
	if !strings.HasPrefix(got, "<109>1 2026-09-21T14:13:20.000Z gw jiseki-gateway ") || !strings.Contains(got, "head="+h.Line()+" ") {
		t.Errorf("got %s", got)
	}
}

// memory is a chain whose head moves and a sink that can fail.
type memory struct {
	mu    sync.Mutex
	head  audit.Mark
	heads []audit.Head
	fail  bool
}

func (m *memory) set(head audit.Mark, fail bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.head, m.fail = head, fail
}

func (m *memory) read(context.Context) (audit.Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.head, nil
}

func (m *memory) Put(_ context.Context, h audit.Head) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail {
		return errors.New("no")
	}
	m.heads = append(m.heads, h)
	return nil
}

func TestPublisher(t *testing.T) {
	k := key(t)
	synctest.Test(t, func(t *testing.T) {
		events := chain(t, 5)
		sink := memory{head: events[0].Mark()}
		p := audit.Publisher{
			Head: sink.read, Key: k, Sinks: []audit.HeadSink{&sink},
			Every: time.Minute, Log: slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		step := func(want int) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			sink.mu.Lock()
			defer sink.mu.Unlock()
			if len(sink.heads) != want {
				t.Fatalf("%d heads, want %d", len(sink.heads), want)
			}
		}
		step(1)
		step(1) // it has not moved
		sink.set(events[1].Mark(), true)
		step(1)
		sink.set(events[1].Mark(), false)
		step(2) // tried again
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		sink.set(events[2].Mark(), false)
		for range 2 { // once more at the end, and then there is nothing new
			if err := p.Publish(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if len(sink.heads) != 3 || sink.heads[2].Mark != events[2].Mark() {
			t.Errorf("%d heads", len(sink.heads))
		}
		var _ json.Marshaler = sink.heads[0]
	})
}

// TestHeadsComeOnceASecond: a head that has not moved for a second is given out at once, and whoever moves it all the
// time has one copied a second, the newest.
func TestHeadsComeOnceASecond(t *testing.T) {
	k := key(t)
	synctest.Test(t, func(t *testing.T) {
		events := chain(t, 102)
		sink, moved := memory{head: events[0].Mark()}, make(chan struct{}, 1)
		p := audit.Publisher{
			Head: sink.read, Key: k, Sinks: []audit.HeadSink{&sink}, Every: time.Minute, Moved: moved, Log: slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		move := func(e int) {
			sink.set(events[e].Mark(), false)
			select {
			case moved <- struct{}{}:
			default:
			}
			synctest.Wait()
		}
		given := func() (int, uint64) {
			sink.mu.Lock()
			defer sink.mu.Unlock()
			return len(sink.heads), sink.heads[len(sink.heads)-1].Number
		}
		time.Sleep(2 * time.Second)
		move(1)
		if n, last := given(); n != 2 || last != events[1].Number {
			t.Errorf("at rest: %d heads, the last %d", n, last)
		}
		for e := range 100 {
			move(2 + e)
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if n, last := given(); n > 5 || last != events[101].Number {
			t.Errorf("after two seconds: %d heads, the last %d", n, last)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestSyslogThatHangs: a daemon that does not read makes copying fail, which is logged, and holds nobody up for good.
func TestSyslogThatHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	daemon, err := net.ListenPacket("unixgram", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { daemon.Close() })
	sink := audit.SyslogSink{Socket: path, Host: "test"}
	for range 100_000 { // its queue is some datagrams long
		if err := sink.Put(t.Context(), audit.Head{}); err != nil {
			return
		}
	}
	t.Error("nobody read, and nothing failed")
}

// stuck is a sink that hangs while it is told to.
type stuck struct {
	memory
	free chan struct{}
}

func (s *stuck) Put(ctx context.Context, h audit.Head) error {
	<-s.free // as a disk does, whatever ctx says
	return s.memory.Put(ctx, h)
}

// TestSinkThatHangs is said once, keeps no other sink from its heads and nobody from stopping, and gets the newest head
// when it is back.
func TestSinkThatHangs(t *testing.T) {
	k := key(t)
	synctest.Test(t, func(t *testing.T) {
		events := chain(t, 5)
		first, second := &stuck{free: make(chan struct{})}, &stuck{free: make(chan struct{})}
		sound := &memory{head: events[0].Mark()}
		var log bytes.Buffer
		p := audit.Publisher{
			Head: sound.read, Key: k, Sinks: []audit.HeadSink{first, second, sound}, Every: time.Minute,
			Log: slog.New(slog.NewTextHandler(&log, nil)),
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx) }()
		for _, e := range events[:4] {
			sound.set(e.Mark(), false)
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if n := len(sound.heads); n != 4 {
			t.Errorf("the sink that does not hang has %d heads of 4", n)
		}
		if n := strings.Count(log.String(), "hangs"); n != 2 {
			t.Errorf("said %d times of two sinks that they hang:\n%s", n, &log)
		}
		close(first.free)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(first.heads); n != 2 || first.heads[1].Mark != events[3].Mark() {
			t.Errorf("the sink that came back has %d heads", n)
		}
		cancel()
		synctest.Wait()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("stopping waits for a sink that hangs")
		}
		close(second.free)
	})
}

// TestRightsMoveTheHead: whatever gives or takes a right has the head copied at once, and so has a kind that nobody has
// thought of yet.
func TestRightsMoveTheHead(t *testing.T) {
	for _, k := range []audit.Kind{
		audit.OrganisationCreated, audit.SettingsChanged, audit.SectionChanged, audit.SectionDeleted, audit.KeysCreated, audit.KeysChanged,
		audit.UserCreated, audit.UserChanged, audit.UserDisabled, audit.UserEnabled, audit.UserUnlocked, audit.PasswordChanged, audit.PasswordReset,
		audit.TOTPChanged, audit.RecoveryCodeUsed, audit.SignIn, audit.SignOut, audit.DeviceCodeCreated, audit.DeviceEnrolled, audit.DeviceRenewed,
		audit.DeviceRevoked, audit.DeviceLost, audit.DeskCreated, audit.DeskChanged, audit.DeskDeleted, audit.DeskTokenCreated, audit.DeskEnrolled,
		audit.DeskRenewed, audit.DeskLockOrdered, audit.RegisterKept, audit.SessionGranted, audit.SessionEndOrdered,
		audit.RequestApproved, audit.RequestWithdrawn, audit.RequestCancelled, audit.OrderGiven, audit.AbsenceEntered, audit.AbsenceDeleted, audit.RouteChanged,
		audit.PolicyChanged, audit.HolidaysChanged, audit.StaffChanged, audit.RegistrationsRenewed, "new_tomorrow",
	} {
		if !k.OfRights() {
			t.Errorf("%s moves no head", k)
		}
	}
	for _, k := range []audit.Kind{audit.SignInRefused, audit.DeviceRefused, audit.DeskRefused, audit.SessionRefused, audit.DeskConnected, audit.DeskGone} {
		if k.OfRights() {
			t.Errorf("%s, which anybody can cause, moves the head", k)
		}
	}
}
