package store

import "context"

// A Turn lets the acts of one caller wait for each other before they wait for the database: *semaphore.Weighted of 1 is
// one.
type Turn interface {
	Acquire(ctx context.Context, n int64) error
	Release(n int64)
}

type turnKey struct{}

// InTurn returns a context in which whatever writes takes this turn first. Of a caller who asks for many acts at once one
// waits for the database then, and others write between two of them. Nothing that writes may be called from within it.
func InTurn(ctx context.Context, turn Turn) context.Context {
	return context.WithValue(ctx, turnKey{}, turn)
}

// takeTurn waits for the turn of a context, if it has one, and gives the function that gives it back.
func takeTurn(ctx context.Context) (end func(), err error) {
	turn, ok := ctx.Value(turnKey{}).(Turn)
	if !ok {
		return func() {}, nil
	}
	if err := turn.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { turn.Release(1) }, nil
}
