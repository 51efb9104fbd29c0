package telework

// SegmentKind is what somebody does in a segment of a workday.
type SegmentKind uint8

// The kinds. Their numbers are those of the control API and of the database.
const (
	Work         SegmentKind = 1 // 勤務
	Break        SegmentKind = 2 // 休憩
	Interruption SegmentKind = 3 // 中断
	Leave        SegmentKind = 4 // 時間休
	Exemption    SegmentKind = 5 // 職務専念義務免除
	Trip         SegmentKind = 6 // 出張
	Moving       SegmentKind = 7 // 移動
	Hall         SegmentKind = 8 // 庁内勤務
)

// Known says whether k is a kind.
func (k SegmentKind) Known() bool { return k >= Work && k <= Hall }

// Away says that the user does not work: during these the desk is locked, by policy.
func (k SegmentKind) Away() bool { return k >= Break && k <= Exemption }

// String is the kind's name in events.
func (k SegmentKind) String() string {
	if !k.Known() {
		return "unknown"
	}
	return [...]string{"work", "break", "interruption", "leave", "exemption", "trip", "moving", "hall"}[k-1]
}

// Segment is a part of a workday, stamped by the gateway's clock, in milliseconds since 1970-01-01 UTC.
type Segment struct {
	Kind    SegmentKind `json:"kind"`
	FromMS  int64       `json:"from_ms"`
	UntilMS int64       `json:"until_ms"` // 0 while it lasts
}

// Lasts says that the segment has not ended.
func (s Segment) Lasts() bool { return s.UntilMS == 0 }
