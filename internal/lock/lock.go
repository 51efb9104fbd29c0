// Package lock locks a desk's screen and makes sure that it is locked; it tells when it is unlocked, how long nobody
// has used the desk, and whether somebody uses it on the spot.
package lock

import (
	"context"
	"time"
)

// A State says how a screen stands.
type State uint8

// The states of a screen.
const (
	Open   State = iota // never locked, or unlocked by who knows the password
	Locked              // a locker's window covers the screen, and the locker holds the keyboard
	Torn                // it was locked, and is open although nobody unlocked it: the locker died or no longer covers it
)

// A Screen is a desk's screen, as far as locking goes. Its methods may be called from several goroutines.
type Screen interface {
	// Can says why the screen could not be locked now; nil if it can.
	Can() error

	// Lock locks the screen and returns nil when it has been proved that it is locked. Programs that hold keyboard or
	// pointer, such as open menus, have to let go. A lock outlives the Screen and the process.
	//
	// typed is when a viewer pressed something last: a locker that ran by then may be about to let it in, and is ended
	// and another put up; one that cannot be ended has to hold for some seconds. The check of a password ends with its
	// locker. It does nothing when the screen is locked by one that came up later; zero means that nobody typed.
	Lock(ctx context.Context, typed time.Time) error

	// Locked says whether the screen is locked, whoever locked it.
	Locked() (bool, error)

	// Changes delivers how the screen stands: the present state at once, then each change. It holds one state, the
	// newest. It is closed when the screen is lost or closed.
	Changes() <-chan State

	// LoggedOn says whether somebody is logged on at the desk.
	LoggedOn() (bool, error)

	// Idle is how long there has been no input, at the desk or by a viewer.
	Idle() (time.Duration, error)

	// UsedLocally is when the desk's own keyboard or mouse was used last, as far as it can be told from a viewer's; zero
	// if never since the Screen was opened.
	UsedLocally() time.Time

	// Close frees what the Screen holds. It unlocks nothing.
	Close() error
}
