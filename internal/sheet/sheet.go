// Package sheet reads tables as people's spreadsheets write them, whatever the charset, the separator and the empty
// rest, and says what is wrong by line and column; and it writes text in CP932. Pure.
package sheet

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"jiseki/internal/typed"
)

// maxProblems is after how many problems reading stops: who made so many mends them in one go.
const maxProblems = 20

// A Column of a table. Its names in the header are Name and JA in any case, width and kind of kana.
type Column struct {
	Name   string // such as user_id
	JA     string // such as 利用者ID
	Needed bool   // without it there is no table
}

// A Format is a kind of table.
type Format struct {
	Columns  []Column
	MaxBytes int
	MaxRows  int // without the header
	// Plain tables have their columns in this order. The header may have other names, or be missing: a first row with a
	// digit in its first cell is no header.
	Plain bool
}

// A Problem is what is wrong in a file. Line counts from 1. Column counts cells from 1; 0 is the line as a whole, and
// has no name.
type Problem struct {
	Line, Column       int
	ColumnJA, ColumnEN string
	JA, EN             string
}

// A Row of a table, which is not empty.
type Row struct {
	line  int
	cells []string // one for each column of the format
	table *table
}

// Cell is the text under a column of the format, by its place there. It has no blanks around it and no control
// character in it; "" is none.
func (r *Row) Cell(i int) string { return r.cells[i] }

// Line is where the row begins, from 1.
func (r *Row) Line() int { return r.line }

// Problem says what is wrong with the cell under a column.
func (r *Row) Problem(i int, ja, en string) Problem {
	return r.table.problem(r.line, r.table.place(i), ja, en)
}

// Read reads a file in UTF-8, UTF-16 or CP932, separated by commas, tabs or semicolons. Rows and columns without text
// do not count. Either there are rows, at least one, or problems, at most 20 and in the order of the lines.
func (f *Format) Read(file []byte) ([]Row, []Problem) {
	if len(file) > f.MaxBytes {
		return nil, []Problem{{Line: 1, JA: fmt.Sprintf("ファイルが大きすぎます（上限%dKB）。", f.MaxBytes>>10), EN: fmt.Sprintf("The file is too large (limit %d KB).", f.MaxBytes>>10)}}
	}
	t := &table{format: f}
	t.read(decode(file))
	if len(t.rows) == 0 && len(t.problems) == 0 {
		t.fail(1, 0, "見出しの下に1行もありません。", "There is no line below the header.")
	}
	if len(t.problems) > 0 {
		return nil, t.problems
	}
	return t.rows, nil
}

// table is a file while it is read.
type table struct {
	format   *Format
	columns  []int // of each cell of a line the column of the format, -1: none; nil: no header yet
	rows     []Row
	problems []Problem
	over     bool // the rest does not count
}

func (t *table) fail(line, cell int, ja, en string) {
	if len(t.problems) < maxProblems {
		t.problems = append(t.problems, t.problem(line, cell, ja, en))
	}
}

func (t *table) problem(line, cell int, ja, en string) Problem {
	p := Problem{Line: line, Column: cell, JA: ja, EN: en}
	if cell > 0 && cell <= len(t.columns) && t.columns[cell-1] >= 0 {
		c := t.format.Columns[t.columns[cell-1]]
		p.ColumnJA, p.ColumnEN = c.JA, c.Name
	}
	return p
}

// place is the cell of a line, from 1, under a column of the format; 0: the file does not have the column.
func (t *table) place(column int) int {
	for i, c := range t.columns {
		if c == column {
			return i + 1
		}
	}
	return 0
}

func (t *table) read(text string) {
	comma, text := separator(text)
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = comma, -1, true
	for !t.over && len(t.problems) < maxProblems {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			t.fail(bad.StartLine, 0, "引用符（\"）の使い方に誤りがあります。閉じていないか、値の途中にあります。", "A quotation mark is wrong: not closed, or inside a value.")
			return // what follows cannot be told apart
		}
		t.take(r, cells)
	}
}

// lineOf is the line on which a cell of the record read last begins.
func lineOf(r *csv.Reader, cell int) int {
	line, _ := r.FieldPos(cell)
	return line
}

// separator finds what separates the cells of the first line that is not blank: a tab, a comma, or else a semicolon; or
// what Excel's own first line says it is.
func separator(text string) (rune, string) {
	if rest, ok := strings.CutPrefix(text, "sep="); ok && len(rest) > 1 && rest[1] == '\n' && strings.ContainsRune(",;\t", rune(rest[0])) {
		return rune(rest[0]), rest[1:] // with the end of the line, so that lines keep their numbers
	}
	first := strings.TrimLeftFunc(text, func(r rune) bool { return r != '\t' && (unicode.IsSpace(r) || r == '\ufeff') })
	first, _, _ = strings.Cut(first, "\n")
	for _, comma := range "\t,;" {
		if strings.ContainsRune(first, comma) {
			return comma, text
		}
	}
	return ',', text
}

// take takes a line.
func (t *table) take(r *csv.Reader, cells []string) {
	for i := range cells {
		cells[i] = typed.Tidy(cells[i])
	}
	for len(cells) > 0 && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) == 0 {
		return
	}
	line := lineOf(r, 0)
	header := t.columns == nil
	if header && t.takeHeader(line, cells) {
		return
	}
	if t.over = len(t.rows) == t.format.MaxRows; t.over {
		t.fail(line, 0, fmt.Sprintf("行が多すぎます。一度に%d行までです。ファイルを分けてください。", t.format.MaxRows), fmt.Sprintf("There are too many lines: at most %d at a time. Divide the file.", t.format.MaxRows))
		return
	}
	row := Row{line: line, cells: make([]string, len(t.format.Columns)), table: t}
	before := len(t.problems)
	for i, cell := range cells {
		t.put(&row, lineOf(r, i), i, cell)
	}
	if len(t.problems) == before {
		t.rows = append(t.rows, row)
	}
}

// put puts a cell under its column.
func (t *table) put(row *Row, line, i int, cell string) {
	switch {
	case cell == "":
	case strings.ContainsFunc(cell, typed.IsBad):
		ja, en := badWords(cell)
		t.fail(line, i+1, ja, en)
	case i >= len(t.columns) || t.columns[i] < 0:
		t.fail(line, i+1, fmt.Sprintf("余分な値があります。列は%sです。", t.format.header()), fmt.Sprintf("There is a value too many. The columns are %s.", t.format.header()))
	default:
		row.cells[t.columns[i]] = cell
	}
}

func badWords(cell string) (ja, en string) {
	at := strings.IndexFunc(cell, typed.IsBad)
	r := []rune(cell[at:])[0]
	switch r {
	case '\ufffd':
		return "文字を読み取れません。ファイルをUTF-8またはShift_JISで保存してください。", "A character cannot be read. Save the file as UTF-8 or Shift_JIS."
	case '\n':
		return "値の途中に改行があります。", "There is a line break in the value."
	}
	return fmt.Sprintf("目に見えない文字（U+%04X）があります。入力し直してください。", r), fmt.Sprintf("There is an invisible character (U+%04X). Type the value again.", r)
}

// takeHeader takes the first line for the header, and says whether it was one.
func (t *table) takeHeader(line int, cells []string) bool {
	if t.format.Plain {
		for i := range t.format.Columns {
			t.columns = append(t.columns, i)
		}
		return cells[0] == "" || !strings.ContainsFunc(typed.ID(cells[0]), unicode.IsDigit)
	}
	columns := make([]int, len(cells))
	known := 0
	for i, cell := range cells {
		if columns[i] = t.format.find(cell); columns[i] >= 0 {
			known++
		}
	}
	t.columns = columns
	if known == 0 {
		t.fail(line, 0, fmt.Sprintf("最初の行を見出しにしてください：%s", t.format.header()), "The first line must be the header: "+t.format.header())
		t.over = true
		return true
	}
	t.checkHeader(line, cells)
	return true
}

func (t *table) checkHeader(line int, cells []string) {
	for i, c := range t.columns {
		switch {
		case c < 0 && cells[i] != "":
			t.fail(line, i+1, fmt.Sprintf("「%.40s」という列はありません。列は%sです。", cells[i], t.format.header()), fmt.Sprintf("There is no column %.40q. The columns are %s.", cells[i], t.format.header()))
		case c >= 0 && t.place(c) != i+1:
			t.fail(line, i+1, "同じ見出しが2つあります。", "The header is there twice.")
		}
	}
	for i, c := range t.format.Columns {
		if c.Needed && t.place(i) == 0 {
			t.fail(line, 0, fmt.Sprintf("「%s」（%s）の列がありません。", c.JA, c.Name), fmt.Sprintf("The column %s is missing.", c.Name))
		}
	}
}

// find is the place of a column with a name, -1: none.
func (f *Format) find(name string) int {
	name = typed.Fold(name)
	for i, c := range f.Columns {
		if name != "" && (name == typed.Fold(c.Name) || name == typed.Fold(c.JA)) {
			return i
		}
	}
	return -1
}

// header is the line that names all columns.
func (f *Format) header() string {
	names := make([]string, len(f.Columns))
	for i, c := range f.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ",")
}
