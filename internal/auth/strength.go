package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"jiseki/internal/access"
)

// Rules of passwords.
const (
	longEnough  = 12  // characters of any kind
	shortest    = 8   // characters of at least threeKinds kinds
	threeKinds  = 3   // of capitals, small letters, digits, others
	longest     = 128 // characters
	fewestRunes = 5   // different characters
	rowLength   = 5   // characters of a keyboard row or an alphabet in sequence
)

// CheckPassword returns every rule that a new password breaks, none if it is good. Words of a name are separated by
// spaces.
func CheckPassword(password, userID, name string) []access.Code {
	if len(password) > longest*utf8.UTFMax {
		return []access.Code{access.PasswordLong} // not worth looking at
	}
	p := plain(password)
	n := utf8.RuneCountInString(p)
	var broken []access.Code
	add := func(bad bool, c access.Code) {
		if bad {
			broken = append(broken, c)
		}
	}
	add(!utf8.ValidString(password) || strings.ContainsFunc(p, unicode.IsControl), access.PasswordChars)
	add(n < shortest, access.PasswordShort)
	add(n >= shortest && n < longEnough && kinds(p) < threeKinds, access.PasswordKinds)
	add(n > longest, access.PasswordLong)
	low := strings.ToLower(p)
	add(containsWord(low, userID, name), access.PasswordHasID)
	add(repeats(low), access.PasswordRepeats)
	add(common(low), access.PasswordCommon)
	return broken
}

// kinds counts capitals, small letters, digits and others.
func kinds(p string) int {
	var upper, lower, digit, other int
	for _, r := range p {
		switch {
		case unicode.IsUpper(r):
			upper = 1
		case unicode.IsLower(r):
			lower = 1
		case unicode.IsDigit(r):
			digit = 1
		default:
			other = 1
		}
	}
	return upper + lower + digit + other
}

// containsWord: the user id or a part of the name, if long enough to mean something.
func containsWord(low, userID, name string) bool {
	for _, w := range append(strings.Fields(strings.ToLower(plain(name))), strings.ToLower(userID)) {
		ascii := strings.IndexFunc(w, func(r rune) bool { return r > unicode.MaxASCII }) < 0
		if n := utf8.RuneCountInString(w); (n >= 4 || (n >= 2 && !ascii)) && strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// repeats: too few different characters, or one short piece over and over.
func repeats(low string) bool {
	seen := map[rune]bool{}
	for _, r := range low {
		seen[r] = true
	}
	if len(seen) < fewestRunes {
		return true
	}
	for size := 1; size <= 4 && size*3 <= len(low); size++ {
		if strings.Repeat(low[:size], len(low)/size+1)[:len(low)] == low {
			return true
		}
	}
	return false
}

// fewestLeft characters must be left of a password after taking out what everybody guesses first.
const fewestLeft = 6

// common: numbers alone (dates, telephone numbers), or too little left after taking out common words, rows of keys and
// years; as typed, or with digits and signs read as the letters that they stand for.
func common(low string) bool {
	if !strings.ContainsFunc(low, unicode.IsLetter) {
		return true
	}
	for _, s := range []string{low, strings.Map(unleet, low)} {
		if utf8.RuneCountInString(cutRows(cutWords(s))) < fewestLeft || utf8.RuneCountInString(cutWords(cutRows(s))) < fewestLeft {
			return true
		}
	}
	return false
}

func cutWords(s string) string {
	for _, w := range commonWords {
		s = strings.ReplaceAll(s, w, "")
	}
	return s
}

// unleet reads digits and signs that stand for letters.
func unleet(r rune) rune {
	switch r {
	case '0':
		return 'o'
	case '1', '!':
		return 'i'
	case '3':
		return 'e'
	case '4', '@':
		return 'a'
	case '5', '$':
		return 's'
	case '7':
		return 't'
	}
	return r
}

// rows of keys and sequences, forwards; backwards is looked for too.
var rows = []string{
	"abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "あいうえおかきくけこ",
	"!\"#$%&'()", "!@#$%^&*()",
}

// cutRows takes out runs of rowLength and more characters of a row, and years.
func cutRows(s string) string {
	runes := []rune(s)
	var out []rune
	for i := 0; i < len(runes); {
		if n := rowAt(runes[i:]); n >= rowLength || (n >= 4 && isDigits(runes[i:i+4])) {
			i += n
			continue
		}
		if i+4 <= len(runes) && isYear(string(runes[i:i+4])) {
			i += 4
			continue
		}
		out = append(out, runes[i])
		i++
	}
	return string(out)
}

// rowAt is how many characters from the start are a piece of a row in either direction.
func rowAt(s []rune) int {
	longest := 0
	for _, row := range rows {
		r := []rune(row)
		for start := range r {
			for _, step := range []int{1, -1} {
				n := 0
				for k := start; k >= 0 && k < len(r) && n < len(s) && s[n] == r[k]; k += step {
					n++
				}
				longest = max(longest, n)
			}
		}
	}
	return longest
}

func isDigits(s []rune) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

func isYear(s string) bool {
	return isDigits([]rune(s)) && (strings.HasPrefix(s, "19") || strings.HasPrefix(s, "20"))
}

// similar: the new password is the old one with another number or sign at its ends, or in another case.
func similar(old, changed string) bool {
	core := func(s string) string {
		return strings.TrimFunc(strings.ToLower(plain(s)), func(r rune) bool { return !unicode.IsLetter(r) })
	}
	a, b := core(old), core(changed)
	if len(a) < 4 || len(b) < 4 {
		return plain(old) == plain(changed)
	}
	return a == b
}

// commonWords that people build passwords from: the usual ones, those of Japanese offices, places, names, eras,
// seasons. Lower case; longer ones first where one holds another. Digits in them are matched as typed and as letters.
var commonWords = []string{
	"password", "passwort", "passwd", "passcode", "passphrase", "pasuwado", "pasuwaado", "welcome", "letmein", "administrator", "admin",
	"master", "secret", "login", "guest", "access", "change", "default", "initial", "system", "server", "windows", "office", "excel",
	"monkey", "dragon", "sunshine", "princess", "football", "baseball", "superman", "batman", "iloveyou", "love", "hello", "test", "temp",
	"user", "root", "qwerty", "asdf", "zxcv", "qazwsx", "internet", "computer", "google", "apple", "microsoft",
	"jiseki", "telework", "terewaku", "zaitaku", "lgwan", "mynumber", "jichitai", "yakusho", "yakuba", "shiyakusho", "chousha", "kenchou",
	"kencho", "shichou", "choucho", "soumu", "somu", "zaisei", "zeimu", "juumin", "jumin", "fukushi", "kyouiku", "kikaku", "jinji",
	"kouhou", "kensetsu", "suidou", "shoubou", "gikai", "kaikei", "joho", "jouhou", "shokuin", "kyoku",
	"tokyo", "toukyou", "osaka", "oosaka", "kyoto", "nagoya", "sapporo", "sendai", "fukuoka", "hiroshima", "okinawa", "hokkaido", "nihon",
	"nippon", "japan", "fujisan", "sakura", "himawari", "momiji", "tsubaki", "hanako", "tarou", "taro", "satou", "sato", "suzuki", "takahashi",
	"tanaka", "watanabe", "itou", "yamamoto", "nakamura", "kobayashi", "arigatou", "arigato", "konnichiwa", "ohayou", "sayonara", "daisuki",
	"aishiteru", "kawaii", "ganbare", "yoroshiku", "otsukare", "doraemon", "pikachu", "pokemon", "totoro", "kitty", "naruto", "onepiece",
	"reiwa", "heisei", "showa", "shouwa", "taisho", "taishou", "meiji", "haru", "natsu", "aki", "fuyu", "spring", "summer", "autumn",
	"winter", "january", "february", "march", "april", "june", "july", "august", "september", "october", "november", "december",
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
	"パスワード", "ぱすわーど", "あいうえお", "いろはにほへと", "ありがとう", "こんにちは", "役場", "役所", "市役所", "令和", "平成", "昭和", "さくら", "日本", "東京",
}
