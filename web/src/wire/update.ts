import { MAX_CODER_BYTES } from "./limits.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Flag of an update: the viewer's picture now equals the desk's. */
export const SETTLED = 1;
/** Flag of an update: the coder starts afresh before it, with a black mirror of the layout's size. */
export const FRESH = 2;

/** Changes the viewer's picture. */
export interface Update {
  readonly kind: "update";
  /** Counts the updates of the session from 1. */
  readonly seq: number;
  readonly generation: number;
  /** SETTLED, FRESH. */
  readonly flags: number;
  /** At most MAX_CODER_BYTES; after parsing a view into the parsed bytes. */
  readonly coder: Uint8Array;
}

export function appendUpdate(w: Writer, m: Update): void {
  w.u32(m.seq);
  w.u32(m.generation);
  w.u8(m.flags);
  w.raw(m.coder);
}

export function parseUpdate(r: Reader): Update {
  const seq = r.u32();
  r.check(seq !== 0, "seq");
  const generation = r.u32();
  const flags = r.u8();
  r.check(flags <= (SETTLED | FRESH), "flags");
  r.check(r.left <= MAX_CODER_BYTES, "coder");
  return { kind: "update", seq, generation, flags, coder: r.rest() };
}

/** All updates up to seq have been decoded. */
export interface Ack {
  readonly kind: "ack";
  readonly seq: number;
  /** How long decoding the last one took, in microseconds. */
  readonly decodeMicros: number;
}

export function appendAck(w: Writer, m: Ack): void {
  w.u32(m.seq);
  w.u32(m.decodeMicros);
}

export function parseAck(r: Reader): Ack {
  const seq = r.u32();
  r.check(seq !== 0, "seq");
  return { kind: "ack", seq, decodeMicros: r.u32() };
}
