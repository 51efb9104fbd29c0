import { MAX_HELD } from "./limits.ts";
import { parseButtons } from "./pointer.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** A physical key goes down or up. Never log its code. */
export interface Key {
  readonly kind: "key";
  /** A number of keys/codes.ts, not 0. */
  readonly code: number;
  readonly down: boolean;
}

export function appendKey(w: Writer, m: Key): void {
  w.u16(m.code);
  w.flag(m.down);
}

export function parseKey(r: Reader): Key {
  const code = parseCode(r);
  return { kind: "key", code, down: r.flag("down") };
}

function parseCode(r: Reader): number {
  const v = r.u16();
  r.check(v !== 0, "code");
  return v;
}

/** Press and release at once, for keys without key-up. Never log its code. */
export interface KeyTap {
  readonly kind: "key_tap";
  readonly code: number;
}

export function appendKeyTap(w: Writer, m: KeyTap): void {
  w.u16(m.code);
}

export function parseKeyTap(r: Reader): KeyTap {
  return { kind: "key_tap", code: parseCode(r) };
}

/** All that is held now; sent every HELD_EVERY ms while anything is. Never log its codes. */
export interface Held {
  readonly kind: "held";
  /** BUTTON_ bits. */
  readonly buttons: number;
  /** Ascending, at most MAX_HELD. */
  readonly codes: readonly number[];
}

export function appendHeld(w: Writer, m: Held): void {
  w.u8(m.buttons);
  w.u8(m.codes.length);
  for (const c of m.codes) {
    w.u16(c);
  }
}

export function parseHeld(r: Reader): Held {
  const buttons = parseButtons(r);
  const n = r.u8();
  r.check(n <= MAX_HELD, "n");
  if (r.left < 2 * n) {
    r.fail("short");
  }
  const codes: number[] = [];
  for (let last = 0; codes.length < n;) {
    const c = r.u16();
    r.check(c > last, "codes");
    codes.push(c);
    last = c;
  }
  return { kind: "held", buttons, codes };
}

/** The viewer has lost the focus: nothing is held any more. */
export interface ReleaseAll {
  readonly kind: "release_all";
}

export function appendReleaseAll(): void {}

export function parseReleaseAll(): ReleaseAll {
  return { kind: "release_all" };
}
