package telework

// SuperiorOf is the head of the nearest section, from the user's main one upward, that somebody else heads and that is not below one
// the user heads. Empty if there is none.
func (o *Organisation) SuperiorOf(user string) (head string) {
	o.upward(o.Main[user], func(s Section) bool {
		switch {
		case s.Head == user:
			head = ""
		case head == "" && s.Head != "" && !o.Disabled[s.Head]:
			head = s.Head
		}
		return false
	})
	return head
}
