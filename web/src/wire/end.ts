import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Why a session ends, or what a notice is about, by name. */
export const END_CODES = {
  ended_by_user: 1,
  taken_over: 2,
  ended_at_desk: 3,
  revoked: 4,
  expired: 5,
  idle: 6,
  policy: 7,
  agent_stopping: 8,
  protocol_error: 9,
  cannot_lock: 10,
  lease_lost: 11,
  capture_failed: 12,
  desk_locked: 13,
  desk_unlocked: 14,
  input_denied: 15,
  clipboard_denied: 16,
  ends_soon: 17,
  replaced: 18,
  hours_end: 19,
  text_denied: 20,
} as const;

/** The name of a code that this release knows. */
export type EndName = keyof typeof END_CODES;

const names = new Map<number, EndName>(Object.entries(END_CODES).map(([name, code]) => [code, name as EndName]));

/** The name of a code; undefined for one of a later release. */
export function endName(code: number): EndName | undefined {
  return names.get(code);
}

/** The viewer's last message: it ends the session. */
export interface ViewerEnd {
  readonly kind: "viewer_end";
  /** One of END_CODES, or one of a later release; not 0. */
  readonly code: number;
}

/** The agent's last message: it ends the session. */
export interface AgentEnd {
  readonly kind: "agent_end";
  readonly code: number;
}

export function appendEnd(w: Writer, m: ViewerEnd | AgentEnd): void {
  w.u16(m.code);
}

function parseReason(r: Reader): number {
  const v = r.u16();
  r.check(v !== 0, "code");
  return v;
}

export function parseViewerEnd(r: Reader): ViewerEnd {
  return { kind: "viewer_end", code: parseReason(r) };
}

export function parseAgentEnd(r: Reader): AgentEnd {
  return { kind: "agent_end", code: parseReason(r) };
}

/** Tells the viewer something that does not end the session. */
export interface Notice {
  readonly kind: "notice";
  readonly code: number;
  /** ends_soon, hours_end: until the end; else 0. */
  readonly seconds: number;
}

export function appendNotice(w: Writer, m: Notice): void {
  w.u16(m.code);
  w.u32(m.seconds);
}

export function parseNotice(r: Reader): Notice {
  const code = parseReason(r);
  return { kind: "notice", code, seconds: r.u32() };
}
