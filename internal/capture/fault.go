package capture

// A Fault is why the screen of a desk cannot be shown, in the words of one machine to another (State of the control
// channel). Empty: it can.
type Fault string

// The faults.
const (
	FaultColours Fault = "screen_colours" // no true colour: a palette
	FaultSize    Fault = "screen_size"    // larger than [screen.Valid]
	FaultSystem  Fault = "screen_system"  // the display server lacks what showing it or working on it takes
)
