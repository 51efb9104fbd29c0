// Package zstd_test writes the zstd streams that the browser's decoder is tested with, from this side's encoder:
//
//	go test ./vectors/zstd -update
package zstd_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

var update = flag.Bool("update", false, "write the vectors again")

// A stream is one zstd frame that was flushed after each of its parts.
type stream struct {
	comment string
	level   zstd.EncoderLevel
	parts   [][]byte
}

func streams() map[string]stream {
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("jiseki desk relay grant session window テレワーク 自席端末 接続 update picture the of and a to in")
	prose := func(n int) []byte {
		var b bytes.Buffer
		for b.Len() < n {
			b.WriteString(words[min(r.IntN(len(words)), r.IntN(len(words)))])
			b.WriteByte(' ')
		}
		return b.Bytes()[:n]
	}
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	skewed := func(n int) []byte { // few matches, short codes: Huffman alone
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.ExpFloat64() * 12)
		}
		return b
	}
	var small [][]byte
	for range 60 {
		small = append(small, prose(1+r.IntN(300)))
	}
	old := noise(40_000)
	far := [][]byte{old}
	for range 8 {
		far = append(far, bytes.Repeat(prose(700), 1500))
	}
	far = append(far, old)
	return map[string]stream{
		"small_flushes": {"sixty small flushes of prose", zstd.SpeedDefault, small},
		"levels_fast":   {"the fastest level", zstd.SpeedFastest, [][]byte{prose(9000), prose(20), prose(30_000)}},
		"levels_best":   {"the best level", zstd.SpeedBestCompression, [][]byte{prose(9000), prose(20), prose(30_000)}},
		"huffman":       {"literals almost without matches, over several blocks", zstd.SpeedBetterCompression, [][]byte{skewed(300), skewed(1500), skewed(40_000)}},
		"raw_and_rle":   {"blocks that do not compress, and one byte repeated", zstd.SpeedDefault, [][]byte{noise(3000), bytes.Repeat([]byte{7}, 400_000), noise(5), {9}}},
		"far_match":     {"a match eight megabytes back", zstd.SpeedBetterCompression, far},
	}
}

func encode(t *testing.T, s stream) (chunks [][]byte) {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderLevel(s.level), zstd.WithWindowSize(32<<20),
		zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.parts {
		out.Reset()
		if _, err := w.Write(p); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, bytes.Clone(out.Bytes()))
	}
	return chunks
}

// TestVectors writes the vectors with -update, and else checks that each decodes to the bytes that it promises.
func TestVectors(t *testing.T) {
	for name, s := range streams() {
		path := filepath.Join(".", name+".vec")
		if *update {
			if err := os.WriteFile(path, vector(s, encode(t, s)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, body, ok := strings.Cut(string(got), "\n\n")
		if !ok {
			t.Fatalf("%s: no empty line", path)
		}
		coded, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(body), "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		dec, err := zstd.NewReader(bytes.NewReader(coded), zstd.WithDecoderMaxWindow(32<<20))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(dec)
		dec.Close()
		if !errors.Is(err, io.ErrUnexpectedEOF) { // the frame is never ended
			t.Fatalf("%s: read: %v", path, err)
		}
		if want := bytes.Join(s.parts, nil); !bytes.Equal(plain, want) {
			t.Errorf("%s decodes to %d bytes, want %d equal ones", path, len(plain), len(want))
		}
	}
}

// vector is the text form: each part's coded and plain length and the first 8 bytes of SHA-256 of its plain bytes.
func vector(s stream, chunks [][]byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "comment: %s\nmessage: zstd\nexpect: ok\nvalue: [", s.comment)
	for i, c := range chunks {
		if i > 0 {
			b.WriteByte(',')
		}
		sum := sha256.Sum256(s.parts[i])
		fmt.Fprintf(&b, "[%d,%d,%q]", len(c), len(s.parts[i]), hex.EncodeToString(sum[:8]))
	}
	b.WriteString("]\n\n")
	text := hex.EncodeToString(bytes.Join(chunks, nil))
	for len(text) > 120 {
		b.WriteString(text[:120] + "\n")
		text = text[120:]
	}
	b.WriteString(text + "\n")
	return b.Bytes()
}

// TestMeasure writes the stream of 1,000 small flushes that ADR 5 measures, if MEASURE names a file.
func TestMeasure(t *testing.T) {
	path := os.Getenv("MEASURE")
	if path == "" {
		return
	}
	r := rand.New(rand.NewPCG(3, 4))
	s := stream{level: zstd.SpeedDefault}
	for range 1000 {
		p := make([]byte, 400+r.IntN(4000))
		for i := range p {
			p[i] = byte(r.ExpFloat64() * 9)
		}
		s.parts = append(s.parts, p)
	}
	var b bytes.Buffer
	for i, c := range encode(t, s) {
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(c))))
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s.parts[i]))))
		b.Write(c)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
