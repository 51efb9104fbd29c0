package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"connectrpc.com/connect"
	"golang.org/x/text/width"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"jiseki/internal/gateway"
	controlv1 "jiseki/internal/gen/jiseki/control/v1"
)

// output prints the result of a command, for people or as JSON.
type output struct {
	w        io.Writer
	json     bool
	japanese bool
}

// say picks the language.
func (o *output) say(ja, en string) string {
	if o.japanese {
		return ja
	}
	return en
}

// message prints m as JSON, or calls plain.
func (o *output) message(m proto.Message, plain func()) error {
	if !o.json {
		plain()
		return nil
	}
	b, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	var compact map[string]any
	if err := json.Unmarshal(b, &compact); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return json.NewEncoder(o.w).Encode(compact)
}

// line prints one line for people.
func (o *output) line(format string, args ...any) { fmt.Fprintf(o.w, format+"\n", args...) }

// table prints rows under a head, in columns that fit Japanese too.
func (o *output) table(head []string, rows [][]string) {
	widths := make([]int, len(head))
	all := append([][]string{head}, rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-columns(cell)+2))
			}
		}
		fmt.Fprintln(o.w, strings.TrimRight(line.String(), " "))
	}
}

// columns is how many columns of a terminal a text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		kind := width.LookupRune(r).Kind()
		switch {
		case unicode.Is(unicode.Mn, r):
		case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// when prints a time of the API in the machine's own zone.
func when(ms int64) string {
	if ms == 0 {
		return "-"
	}
	return time.UnixMilli(ms).Local().Format("2006-01-02 15:04:05")
}

// orDash keeps empty cells visible.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// sentence turns an error into one sentence with a code, in the user's
// language as far as the gateway said it.
func sentence(err error, japanese bool) string {
	if reasons := reasonsOf(err); len(reasons) > 0 {
		var all []string
		for _, r := range reasons {
			text, help := r.GetEn(), r.GetHelpEn()
			if japanese {
				text, help = r.GetJa(), r.GetHelpJa()
			}
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s (%s)", text, help, r.GetCode())))
		}
		return strings.Join(all, " ")
	}
	var known *gateway.Error
	if errors.As(err, &known) {
		text := known.En
		if japanese {
			text = known.Ja
		}
		return fmt.Sprintf("%s (%s)", text, known.Code)
	}
	return err.Error()
}

// reasonsOf finds the reasons in an error of the API.
func reasonsOf(err error) []*controlv1.Reason {
	var failed *connect.Error
	if !errors.As(err, &failed) {
		return nil
	}
	for _, detail := range failed.Details() {
		value, err := detail.Value()
		if err != nil {
			continue
		}
		if refusal, ok := value.(*controlv1.Refusal); ok {
			return refusal.GetReasons()
		}
	}
	return nil
}

// value prints one JSON value.
func (o *output) value(v any) error { return json.NewEncoder(o.w).Encode(v) }
