package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"connectrpc.com/connect"

	controlv1 "jiseki/internal/gen/jiseki/control/v1"
	"jiseki/internal/gen/jiseki/control/v1/controlv1connect"
	"jiseki/internal/sheet"
	"jiseki/internal/typed"
)

type userImport struct {
	File string `arg:"" help:"Table with the columns user_id,name,kana,section_id,roles,desk_ids,device,inventory, in UTF-8, Shift_JIS or UTF-16, separated by commas, tabs or semicolons; several roles or desks are joined by spaces. At most 1,000 users." type:"existingfile"`
	Slip string `required:"" help:"Folder to write the slips to." type:"path"`
	Rest bool   `help:"Pass over users who are registered already: after an import that broke off."`
}

// Columns of the list of users, in the order of userTable.
const (
	columnID = iota
	columnName
	columnKana
	columnSection
	columnRoles
	columnDesks
	columnDevice
	columnInventory
)

// userTable is the list of users. The gateway takes as many in one call.
var userTable = sheet.Format{
	Columns: []sheet.Column{
		columnID: {Name: "user_id", JA: "利用者ID", Needed: true}, columnName: {Name: "name", JA: "氏名", Needed: true}, columnKana: {Name: "kana", JA: "フリガナ"},
		columnSection: {Name: "section_id", JA: "所属ID"}, columnRoles: {Name: "roles", JA: "役割"}, columnDesks: {Name: "desk_ids", JA: "自席端末ID"},
		columnDevice: {Name: "device", JA: "接続元端末"}, columnInventory: {Name: "inventory", JA: "管理番号"},
	},
	MaxBytes: 1 << 20, MaxRows: 1000,
}

func (u *userImport) Run(c *console) error {
	file, err := readAtMost(u.File, userTable.MaxBytes+1)
	if err != nil {
		return fmt.Errorf("read the list of users: %w", err)
	}
	return c.admin(func(ctx context.Context, admin controlv1connect.AdminServiceClient) error {
		hall, err := lookAt(ctx, admin)
		if err != nil {
			return err
		}
		known := hall.users
		if u.Rest {
			hall.users = nil
		}
		users, problems := readUsers(file, hall)
		if len(problems) > 0 {
			return errors.New(tableProblems(c.out, problems))
		}
		users = slices.DeleteFunc(users, func(n *controlv1.NewUser) bool { return known[n.GetUserId()] })
		return (&importing{c: c, dir: u.Slip, admin: admin}).run(ctx, users)
	})
}

// partOfImport is how many users are made in one call: some seconds of work. Whatever breaks, theirs are the slips that may
// be missing.
const partOfImport = 10

// importing makes users in parts, and has the slips of a part on the disk before the next one begins.
type importing struct {
	c     *console
	dir   string
	admin interface {
		CreateUsers(ctx context.Context, r *controlv1.CreateUsersRequest) (*controlv1.CreateUsersResponse, error)
	}
}

func (i *importing) run(ctx context.Context, users []*controlv1.NewUser) error {
	var paths []string
	for part := range slices.Chunk(users, partOfImport) {
		written, err := i.part(ctx, part)
		paths = append(paths, written...)
		if err != nil {
			fmt.Fprintln(i.c.errs, i.left(len(paths), len(users)-len(paths)))
			return errors.Join(err, tellPaths(i.c.out, paths))
		}
		fmt.Fprintf(i.c.errs, i.c.out.say("%d人／%d人を登録し、通知書を保存しました。\n", "%d of %d users have been created, and their slips written.\n"), len(paths), len(users))
	}
	return tellPaths(i.c.out, paths)
}

// part makes some users and writes their slips, for which it keeps room meanwhile.
func (i *importing) part(ctx context.Context, users []*controlv1.NewUser) (paths []string, err error) {
	folder, err := openSlips(i.dir, len(users))
	if err != nil {
		return nil, err
	}
	defer folder.close()
	r, err := i.admin.CreateUsers(ctx, &controlv1.CreateUsersRequest{Users: users})
	if err != nil {
		if !connect.IsWireError(err) { // the gateway has not refused them
			fmt.Fprintln(i.c.errs, i.unknown(users))
		}
		return nil, err
	}
	return folder.write(i.c, r.GetSlips())
}

func (i *importing) unknown(users []*controlv1.NewUser) string {
	ids := make([]string, len(users))
	for n, u := range users {
		ids[n] = u.GetUserId()
	}
	return fmt.Sprintf(i.c.out.say(
		"次の利用者が登録されたかどうかは分かりません: %s。user listで確かめ、登録されている人には、user resetで新しい初期パスワードを、device codeで新しい端末登録コードを発行してください。",
		"It is unknown whether these users have been created: %s. Look with user list; who is there needs a new password by user reset and a new one-time code by device code."),
		strings.Join(ids, " "))
}

func (i *importing) left(written, left int) string {
	return fmt.Sprintf(i.c.out.say(
		"%d人の通知書を保存しました。%d人分は保存していません。原因を除いてから、同じファイルに--restを付けて取り込むと、登録されていない人だけを登録します。",
		"%d slips have been written, %d have not. When the cause is gone, import the same file with --rest: it creates those who are not there yet."), written, left)
}

// readAtMost reads a file up to a number of bytes.
func readAtMost(path string, most int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(most)))
}

// hall is what a list of users may name, and the ids that are taken.
type hall struct{ users, sections, desks map[string]bool }

func lookAt(ctx context.Context, admin controlv1connect.AdminServiceClient) (hall, error) {
	h := hall{users: map[string]bool{}, sections: map[string]bool{}, desks: map[string]bool{}}
	sections, err := admin.ListSections(ctx, &controlv1.ListSectionsRequest{})
	if err != nil {
		return h, err
	}
	for _, s := range sections.GetSections() {
		h.sections[s.GetSectionId()] = true
	}
	err = everyPage(func(page *controlv1.Page) (string, error) {
		r, err := admin.ListUsers(ctx, &controlv1.ListUsersRequest{Page: page})
		for _, u := range r.GetUsers() {
			h.users[u.GetUserId()] = true
		}
		return r.GetNextToken(), err
	})
	if err != nil {
		return h, err
	}
	return h, everyPage(func(page *controlv1.Page) (string, error) {
		r, err := admin.ListAllDesks(ctx, &controlv1.ListAllDesksRequest{Page: page})
		for _, d := range r.GetDesks() {
			h.desks[d.GetDeskId()] = true
		}
		return r.GetNextToken(), err
	})
}

// readUsers reads a list of users for a hall: all of them are good, or the problems are said.
func readUsers(file []byte, h hall) ([]*controlv1.NewUser, []sheet.Problem) {
	rows, problems := userTable.Read(file)
	r := userReader{hall: h, lines: map[string]int{}, problems: problems}
	users := make([]*controlv1.NewUser, len(rows))
	for i := range rows {
		r.row = &rows[i]
		users[i] = r.user()
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return users, nil
}

type userReader struct {
	hall     hall
	lines    map[string]int // of each id
	row      *sheet.Row
	problems []sheet.Problem
}

func (r *userReader) fail(column int, ja, en string) {
	const most = 20
	if len(r.problems) < most {
		r.problems = append(r.problems, r.row.Problem(column, ja, en))
	}
}

func (r *userReader) user() *controlv1.NewUser {
	id, section := r.id(), typed.ID(r.row.Cell(columnSection))
	const longest = 60 // of a name, as the gateway has it
	for _, c := range []int{columnName, columnKana} {
		if n := utf8.RuneCountInString(r.row.Cell(c)); n > longest || n == 0 && c == columnName {
			r.fail(c, "1文字から60文字で入力してください。", "1 to 60 characters are possible.")
		}
	}
	if section != "" && !r.hall.sections[section] {
		r.fail(columnSection, fmt.Sprintf("所属「%.64s」は登録されていません。", section), fmt.Sprintf("There is no section %.64q.", section))
	}
	return &controlv1.NewUser{
		UserId: id, Name: r.row.Cell(columnName), Kana: r.row.Cell(columnKana), MainSectionId: section, Roles: r.roles(), DeskIds: r.desks(),
		DeviceKind: r.device(), InventoryNumber: r.inventory(),
	}
}

func (r *userReader) id() string {
	id := typed.ID(r.row.Cell(columnID))
	switch before := r.lines[id]; {
	case id == "" || len(id) > 64 || strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "":
		r.fail(columnID, "英数字と「.」「-」「_」の64文字までで入力してください。", "Up to 64 letters, digits, full stops, hyphens and underscores are possible.")
	case before > 0:
		r.fail(columnID, fmt.Sprintf("%d行目と同じ利用者IDです。", before), fmt.Sprintf("The user id is in line %d already.", before))
	case r.hall.users[id]:
		r.fail(columnID, fmt.Sprintf("利用者ID「%s」は既に登録されています。", id), fmt.Sprintf("There is a user %q already.", id))
	}
	r.lines[id] = r.row.Line()
	return id
}

func (r *userReader) roles() []controlv1.Role {
	names := strings.Fields(typed.ID(r.row.Cell(columnRoles)))
	for _, name := range names {
		if controlv1.Role_value["ROLE_"+strings.ToUpper(name)] == 0 {
			r.fail(columnRoles, fmt.Sprintf("役割「%.20s」はありません。staff、approver、adminのいずれかです。", name), fmt.Sprintf("The role %.20q is not staff, approver or admin.", name))
			return nil
		}
	}
	return parseRoles(names)
}

func (r *userReader) desks() []string {
	ids := strings.Fields(typed.ID(r.row.Cell(columnDesks)))
	seen := map[string]bool{}
	for _, id := range ids {
		if !r.hall.desks[id] || seen[id] {
			r.fail(columnDesks, fmt.Sprintf("自席端末「%.64s」は登録されていないか、2回書かれています。", id), fmt.Sprintf("The desk %.64q does not exist, or is there twice.", id))
		}
		seen[id] = true
	}
	return ids
}

func (r *userReader) device() controlv1.DeviceKind {
	name := typed.ID(r.row.Cell(columnDevice))
	kind := parseKind(name)
	if name != "" && kind == controlv1.DeviceKind_DEVICE_KIND_UNSPECIFIED {
		r.fail(columnDevice, fmt.Sprintf("接続元端末「%.20s」はありません。lent（貸与端末）かprivate（私用端末）です。", name), fmt.Sprintf("The device %.20q is not lent or private.", name))
	}
	return kind
}

// inventory is the number that a lent device needs and a private one has not.
func (r *userReader) inventory() string {
	number := r.row.Cell(columnInventory)
	lent := parseKind(typed.ID(r.row.Cell(columnDevice))) == controlv1.DeviceKind_DEVICE_KIND_LENT
	switch {
	case lent && number == "":
		r.fail(columnInventory, "貸与端末の管理番号を入力してください。番号がない端末は「-」と入力します。", "A lent device needs its inventory number, or - for one that has none.")
	case !lent && number != "":
		r.fail(columnInventory, "管理番号は、接続元端末がlent（貸与端末）のときだけ入力します。", "Only a lent device has an inventory number here.")
	case utf8.RuneCountInString(number) > 64:
		r.fail(columnInventory, "64文字までで入力してください。", "Up to 64 characters are possible.")
	}
	return number
}

// tableProblems are what is wrong in a file, one a line.
func tableProblems(o *output, all []sheet.Problem) string {
	lines := []string{o.say("1行も取り込みませんでした。", "nothing was imported.")}
	for _, p := range all {
		lines = append(lines, o.place(p.Line, p.Column, o.say(p.ColumnJA, p.ColumnEN))+o.say(p.JA, p.EN))
	}
	return strings.Join(lines, "\n")
}

// place names a place in a file: 3行目「氏名」（2列目）. Column 0 is the line as a whole.
func (o *output) place(line, column int, name string) string {
	switch {
	case column == 0:
		return fmt.Sprintf(o.say("%d行目：", "line %d: "), line)
	case name == "":
		return fmt.Sprintf(o.say("%d行目 %d列目：", "line %d, column %d: "), line, column)
	}
	return fmt.Sprintf(o.say("%d行目 %d列目「%s」：", "line %d, column %d (%s): "), line, column, name)
}
