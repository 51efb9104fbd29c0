import { MAX_TEXT } from "./limits.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/**
 * What the user wrote without physical keys, by a keyboard on the screen: 1 to MAX_TEXT bytes of UTF-8, no NUL. The
 * desk types it, or pastes it where the grant allows that. Since version TEXT_VERSION. Never log it.
 */
export interface Text {
  readonly kind: "text";
  readonly text: string;
}

export function appendText(w: Writer, m: Text): void {
  w.text(m.text);
}

export function parseText(r: Reader): Text {
  return { kind: "text", text: parseWhole(r, MAX_TEXT) };
}

/** A text of 1 to so many bytes, to the end. */
export function parseWhole(r: Reader, limit: number): string {
  if (r.left === 0) {
    r.fail("short");
  }
  r.check(r.left <= limit, "text");
  const text = r.text(r.rest(), "text");
  r.check(!text.includes("\0"), "text");
  return text;
}
