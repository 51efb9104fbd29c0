import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

export const BUTTON_LEFT = 1;
export const BUTTON_MIDDLE = 2;
export const BUTTON_RIGHT = 4;
export const BUTTON_BACK = 8;
export const BUTTON_FORWARD = 16;
const ALL_BUTTONS = 31;

/** One notch of a wheel in the units of Wheel. */
export const NOTCH = 120;

/**
 * Where the pointer is and which buttons are down. With another generation than that of the agent's layout it is
 * dropped.
 */
export interface Pointer {
  readonly kind: "pointer";
  readonly generation: number;
  /** Layout pixels. */
  readonly x: number;
  readonly y: number;
  /** BUTTON_ bits. */
  readonly buttons: number;
}

export function appendPointer(w: Writer, m: Pointer): void {
  w.u32(m.generation);
  w.u16(m.x);
  w.u16(m.y);
  w.u8(m.buttons);
}

export function parsePointer(r: Reader): Pointer {
  const generation = r.u32();
  const x = r.u16();
  const y = r.u16();
  return { kind: "pointer", generation, x, y, buttons: parseButtons(r) };
}

export function parseButtons(r: Reader): number {
  const v = r.u8();
  r.check(v <= ALL_BUTTONS, "buttons");
  return v;
}

/** A turn of the wheel at a position, in 1/120 notch; right and down are positive, -32768 to 32767. */
export interface Wheel {
  readonly kind: "wheel";
  readonly generation: number;
  readonly x: number;
  readonly y: number;
  readonly dx: number;
  readonly dy: number;
}

export function appendWheel(w: Writer, m: Wheel): void {
  w.u32(m.generation);
  w.u16(m.x);
  w.u16(m.y);
  w.u16(m.dx);
  w.u16(m.dy);
}

export function parseWheel(r: Reader): Wheel {
  const generation = r.u32();
  const x = r.u16();
  const y = r.u16();
  const dx = r.i16();
  return { kind: "wheel", generation, x, y, dx, dy: r.i16() };
}
