package demo

const (
	organisation = "やまと町"
	adminID      = "kanri01"
	adminName    = "伊藤 直樹"
	// deskName is the desk that really runs.
	deskName = "総務課-03"
)

// A post is what somebody is to their section.
type post uint8

const (
	member post = iota
	head        // 所属長
	deputy      // 代決者
	clerk       // 庶務担当
)

// A role is somebody who works in the town.
type role struct {
	id, name, kana string
	section        string
	title          string // in Japanese, for the list that is printed
	post           post
	desk           string // name of the office PC
	employment     string // id of the 任用区分
}

// An office is a section of the town hall.
type office struct{ name, above string }

var (
	offices = []office{{"総務部", ""}, {"総務課", "総務部"}, {"税務課", "総務部"}, {"民生部", ""}, {"福祉課", "民生部"}}

	// cast is who works in the town beside the administrator. Passwords and device codes are printed for those who play a part
	// in what the demo suggests to try.
	cast = []role{
		{"soumu00", "渡辺 正", "わたなべ ただし", "総務部", "総務部長", head, "総務部-01", "regular"},
		{"soumu01", "佐藤 健", "さとう けん", "総務課", "総務課長", head, "総務課-01", "regular"},
		{"soumu02", "鈴木 花子", "すずき はなこ", "総務課", "総務課職員", member, deskName, "regular"},
		{"soumu03", "中村 由美", "なかむら ゆみ", "総務課", "総務課長補佐", deputy, "総務課-02", "regular"},
		{"soumu04", "加藤 翔", "かとう しょう", "総務課", "総務課職員・庶務担当", clerk, "総務課-04", "regular"},
		{"zeimu01", "高橋 誠", "たかはし まこと", "税務課", "税務課長", head, "税務課-01", "regular"},
		{"zeimu02", "田中 美咲", "たなか みさき", "税務課", "税務課職員", member, deskName, "regular"},
		{"zeimu03", "山本 浩", "やまもと ひろし", "税務課", "税務課長補佐", deputy, "税務課-03", "regular"},
		{"zeimu04", "吉田 恵", "よしだ めぐみ", "税務課", "税務課職員・庶務担当", clerk, "税務課-04", "regular"},
		{"zeimu05", "松本 大輔", "まつもと だいすけ", "税務課", "税務課職員", member, "税務課-05", "regular"},
		{"fukushi00", "小林 明", "こばやし あきら", "民生部", "民生部長", head, "民生部-01", "regular"},
		{"fukushi01", "井上 真理", "いのうえ まり", "福祉課", "福祉課長", head, "福祉課-01", "regular"},
		{"fukushi02", "木村 亮", "きむら りょう", "福祉課", "福祉課長補佐", deputy, "福祉課-02", "regular"},
		{"fukushi03", "林 さくら", "はやし さくら", "福祉課", "福祉課職員・庶務担当", clerk, "福祉課-03", "regular"},
		{"fukushi04", "清水 陸", "しみず りく", "福祉課", "会計年度任用職員", member, "福祉課-04", "fiscal-year"},
	}
)

// boss is who heads a section.
func boss(section string) string {
	for _, r := range cast {
		if r.section == section && r.post == head {
			return r.id
		}
	}
	return adminID
}

// inventoryOf is the inventory number of the PC that the hall lends to a user.
func inventoryOf(user string) string { return "R8-" + user }

// second is the deputy of a section; empty if it has none.
func second(section string) string {
	for _, r := range cast {
		if r.section == section && r.post == deputy {
			return r.id
		}
	}
	return ""
}

// find is somebody of the cast.
func find(id string) role {
	for _, r := range cast {
		if r.id == id {
			return r
		}
	}
	return role{id: id}
}
