import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

export const CAPS_LOCK = 1;
export const NUM_LOCK = 2;
export const SCROLL_LOCK = 4;

/** The lock states of the device, when the viewer gets the focus; the desk takes them over. */
export interface Locks {
  readonly kind: "locks";
  /** _LOCK bits. */
  readonly locks: number;
}

/** The lock states of the desk. */
export interface LockState {
  readonly kind: "lock_state";
  /** _LOCK bits. */
  readonly locks: number;
}

export function appendLocks(w: Writer, m: Locks | LockState): void {
  w.u8(m.locks);
}

function parseBits(r: Reader): number {
  const v = r.u8();
  r.check(v <= (CAPS_LOCK | NUM_LOCK | SCROLL_LOCK), "locks");
  return v;
}

export function parseLocks(r: Reader): Locks {
  return { kind: "locks", locks: parseBits(r) };
}

export function parseLockState(r: Reader): LockState {
  return { kind: "lock_state", locks: parseBits(r) };
}
