package wire

// A Class says in which way bytes are wrong. The names are those of vectors/README.md.
type Class string

// Classes of failure.
const (
	Short   Class = "short"   // ends before the message does
	Trailer Class = "trailer" // bytes follow the message
	Range   Class = "range"   // a value that is not allowed
	Unknown Class = "type"    // a type that does not belong on the route: the session ends
	Skip    Class = "skip"    // an unknown type that may be skipped: nothing is wrong
)

// An Error tells why bytes are no message. It holds nothing of the message but its type and the name of a field, so it
// may be logged.
type Error struct {
	Class Class
	Type  Type   // 0 if there was no byte at all
	Field string // the first field that is out of range; "" for other classes
}

func (e *Error) Error() string {
	s := "wire: " + e.Type.String() + ": " + string(e.Class)
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	return s
}

// Is makes errors.Is(err, &Error{Class: c}) compare classes.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Class == e.Class
}
