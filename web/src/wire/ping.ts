import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Asks for a pong with the same id: the round trip through both seals. */
export interface Ping {
  readonly kind: "ping";
  readonly id: number;
}

/** Answers a ping. */
export interface Pong {
  readonly kind: "pong";
  readonly id: number;
}

export function appendPing(w: Writer, m: Ping | Pong): void {
  w.u32(m.id);
}

export function parsePing(r: Reader): Ping {
  return { kind: "ping", id: r.u32() };
}

export function parsePong(r: Reader): Pong {
  return { kind: "pong", id: r.u32() };
}
