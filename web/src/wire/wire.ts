// The messages inside the seal, as in docs/PROTOCOL.md section 5. The counterpart of internal/wire in Go, file by file;
// vectors/wire pins both. Pure: no I/O, no clock.

/**
 * Version of the messages, chosen in the seal's handshake.
 *
 *     1  2026-11-23  first
 *     2  2026-11-29  text; mark and marked
 */
export const VERSION = 2;

/** The first version with text. */
export const TEXT_VERSION = 2;

/** The lowest version that this module still speaks. */
export const MIN_VERSION = 1;

/** The first byte of each message, by the name of its kind. Distinct over all routes. */
export const TYPES = {
  // Control, viewer to agent.
  start: 0x01,
  view: 0x02,
  key: 0x03,
  key_tap: 0x04,
  held: 0x05,
  locks: 0x06,
  pointer: 0x07,
  wheel: 0x08,
  clipboard: 0x09,
  release_all: 0x0a,
  ping: 0x0b,
  viewer_end: 0x0c,
  text: 0x0d,
  marked: 0x0e,
  // Control, agent to viewer.
  welcome: 0x41,
  layout: 0x42,
  cursor: 0x43,
  cursor_use: 0x44,
  lock_state: 0x45,
  notice: 0x46,
  pong: 0x47,
  agent_end: 0x48,
  mark: 0x49,
  // Display: update to the viewer, ack to the agent.
  update: 0x61,
  ack: 0x62,
} as const;

/** The kind of a message: what its `kind` says. */
export type Kind = keyof typeof TYPES;

/** A channel and a direction. Each has messages of its own. */
export type Route = "control to_agent" | "control to_viewer" | "display to_viewer" | "display to_agent";
