import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/**
 * Comes behind messages on control that may wait on a slow line; the viewer answers with marked at once. Since version
 * 2.
 */
export interface Mark {
  readonly kind: "mark";
  readonly id: number;
}

/** Everything before the mark with the same id was received. Since version 2. */
export interface Marked {
  readonly kind: "marked";
  readonly id: number;
}

export function appendMark(w: Writer, m: Mark | Marked): void {
  w.u32(m.id);
}

export function parseMark(r: Reader): Mark {
  return { kind: "mark", id: r.u32() };
}

export function parseMarked(r: Reader): Marked {
  return { kind: "marked", id: r.u32() };
}
