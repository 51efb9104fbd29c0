package wire

// Start opens the work of a session; it is always the viewer's first message.
//
//	visible u8 · monitor u8 · resume u8 [ run 16 B · generation u32 · seq u32 · hash 32 B ]
type Start struct {
	Visible bool
	Monitor uint8   // index in the layout, or AllMonitors
	Resume  *Resume // nil for an empty picture
}

// Resume names the picture that a viewer still has from an earlier session.
type Resume struct {
	Run        [16]byte // Welcome.Run of that session
	Generation uint32   // of the layout
	Seq        uint32   // last update that was applied
	Hash       [32]byte // SHA-256 of the picture, row after row, B G R X with X 0
}

// Type is TypeStart.
func (m *Start) Type() Type { return TypeStart }

// Append appends the message to b.
func (m *Start) Append(b []byte) []byte {
	b = append(b, byte(TypeStart))
	b = appendFlag(b, m.Visible)
	b = append(b, m.Monitor)
	b = appendFlag(b, m.Resume != nil)
	if m.Resume == nil {
		return b
	}
	b = append(b, m.Resume.Run[:]...)
	b = be.AppendUint32(b, m.Resume.Generation)
	b = be.AppendUint32(b, m.Resume.Seq)
	return append(b, m.Resume.Hash[:]...)
}

func (m *Start) parse(r *reader) {
	m.Visible = r.flag("visible")
	m.Monitor = r.monitor()
	if r.flag("resume") {
		m.Resume = r.resume()
	}
}

func (r *reader) resume() *Resume {
	if r.class != "" || len(r.b) < resumeSize {
		r.fail(Short, "")
		return nil
	}
	m := new(Resume)
	copy(m.Run[:], r.take(len(m.Run)))
	m.Generation = r.u32()
	m.Seq = r.u32()
	copy(m.Hash[:], r.take(len(m.Hash)))
	return m
}

// View says what the viewer shows from now on. A hidden viewer is sent nothing.
//
//	visible u8 · monitor u8
type View struct {
	Visible bool
	Monitor uint8 // index in the layout, or AllMonitors
}

// Type is TypeView.
func (m *View) Type() Type { return TypeView }

// Append appends the message to b.
func (m *View) Append(b []byte) []byte {
	b = append(b, byte(TypeView))
	b = appendFlag(b, m.Visible)
	return append(b, m.Monitor)
}

func (m *View) parse(r *reader) {
	m.Visible = r.flag("visible")
	m.Monitor = r.monitor()
}

func (r *reader) monitor() uint8 {
	v := r.u8()
	r.check(v < MaxMonitors || v == AllMonitors, "monitor")
	return v
}
