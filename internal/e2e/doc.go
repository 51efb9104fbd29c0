// Package e2e tests whole sessions with the real parts in one process: a gateway with TLS and SQLite, an agent on a
// real X server, and headless viewers. It has no code but tests.
package e2e
