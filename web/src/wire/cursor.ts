import { CURSOR_SLOTS, MAX_CURSOR_SIDE } from "./limits.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/**
 * Puts a pointer shape into a slot and shows it; 0 × 0 hides the pointer. Sides are at most MAX_CURSOR_SIDE; the hot
 * spot lies within the shape.
 */
export interface Cursor {
  readonly kind: "cursor";
  /** Below CURSOR_SLOTS. */
  readonly slot: number;
  readonly width: number;
  readonly height: number;
  readonly hotX: number;
  readonly hotY: number;
  /** R, G, B, A premultiplied; after parsing a view into the parsed bytes. */
  readonly pix: Uint8Array;
}

export function appendCursor(w: Writer, m: Cursor): void {
  w.u8(m.slot);
  w.u16(m.width);
  w.u16(m.height);
  w.u16(m.hotX);
  w.u16(m.hotY);
  w.raw(m.pix);
}

export function parseCursor(r: Reader): Cursor {
  const slot = parseSlot(r);
  const width = r.u16();
  const height = r.u16();
  r.check(width <= MAX_CURSOR_SIDE, "width");
  r.check(height <= MAX_CURSOR_SIDE && (width === 0) === (height === 0), "height");
  const hotX = r.u16();
  const hotY = r.u16();
  const hidden = width === 0 && hotX === 0 && hotY === 0;
  r.check(hidden || hotX < width, "hot_x");
  r.check(hidden || hotY < height, "hot_y");
  return { kind: "cursor", slot, width, height, hotX, hotY, pix: r.take(4 * width * height) };
}

function parseSlot(r: Reader): number {
  const v = r.u8();
  r.check(v < CURSOR_SLOTS, "slot");
  return v;
}

/** Shows what a slot holds. */
export interface CursorUse {
  readonly kind: "cursor_use";
  readonly slot: number;
}

export function appendCursorUse(w: Writer, m: CursorUse): void {
  w.u8(m.slot);
}

export function parseCursorUse(r: Reader): CursorUse {
  return { kind: "cursor_use", slot: parseSlot(r) };
}
