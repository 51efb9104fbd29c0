package hub

import "time"

// Limits of the control channels.
const (
	// helloTimeout is what an agent may take from the upgrade to a good hello.
	helloTimeout = 10 * time.Second
	// maxHello bounds the first message of an agent, in bytes, of which nothing is known before it was decoded: two
	// certificates, sixteen adapters with eight networks each.
	maxHello = 8 << 10
	// halfOpenStrangers connections may be without a hello at once, so that
	// strangers who open sockets and say nothing hold a few megabytes at most, and
	// halfOpenPerNetwork of them from one network. One more takes the place of the
	// oldest: an honest hello comes within moments.
	halfOpenStrangers  = 256
	halfOpenPerNetwork = 64
	// halfOpenKnown are kept for the town hall's own networks, and as many for those of desks
	// that were here before: a whole town hall that reconnects after a restart.
	halfOpenKnown = 512
	// maxMessage is the limit of docs/PROTOCOL.md section 6.
	maxMessage = 64 << 10
	// leaseEvery and leaseLost are told to the agent in the welcome: three
	// leases may be lost before sessions end.
	leaseEvery = 20 * time.Second
	leaseLost  = 60 * time.Second
	// reviewLost is how old the last look at what sessions stand on may be for a lease; there are two looks a second.
	reviewLost = 30 * time.Second
	// leaseSteps spreads the leases of all agents over the period.
	leaseSteps = 20
	// compareSteps is after how many of these steps channels are compared with the enrolled desks.
	compareSteps = 5
	// maxSkew is how far the agent's clock may be from ours.
	maxSkew = 60 * time.Second
	// answerTimeout is what an agent may take to answer an offer or an order.
	answerTimeout = 8 * time.Second
	// maxUnanswered offers to one agent wait for its answer: one more finds it silent at once, so that a desk that hangs,
	// or is in hostile hands, holds no more of the bus's handlers. (Who orders a wake or a lock is known and counted.)
	maxUnanswered = 4
	// offerTries and offerPause bound how long a desk that nobody holds is looked for.
	offerTries = 4
	offerPause = 250 * time.Millisecond
	// storeTimeout is what the store may take for what an agent reports.
	storeTimeout = 10 * time.Second
	// goneAgain is between two tries to record what channels ended.
	goneAgain = 2 * time.Second
	// maxQueued messages wait for a slow socket; one more closes it.
	maxQueued = 64
	// maxStateSessions bounds what a state may name.
	maxStateSessions = 16
	// eventsPerMinute bounds what one desk can report in the log, over all its connections, and arrivalsPerMinute how
	// often it comes, which is two events and a row each. An honest agent waits longer before each further try.
	eventsPerMinute   = 600
	arrivalsPerMinute = 30
	// maxText bounds names that an agent tells of itself.
	maxText = 128
)
