package store

// skew is how far the clocks of two gateways on one database may be apart, in milliseconds.
const skew = 60_000

// lately says whether a stored time lies at most life milliseconds back. A time that is ahead of now by more than [skew] does
// not: a clock that was ahead has stamped it, and nobody may live on it, or wait for it, until that day comes.
func (t *tx) lately(ms, life int64) bool { return ms <= t.now+skew && t.now-ms <= life }
