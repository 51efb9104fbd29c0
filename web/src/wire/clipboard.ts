import { MAX_CLIPBOARD } from "./limits.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Text that goes from the device to the desk: 1 to MAX_CLIPBOARD bytes of UTF-8, no NUL. Never log it. */
export interface Clipboard {
  readonly kind: "clipboard";
  readonly text: string;
}

export function appendClipboard(w: Writer, m: Clipboard): void {
  w.text(m.text);
}

export function parseClipboard(r: Reader): Clipboard {
  if (r.left === 0) {
    r.fail("short");
  }
  r.check(r.left <= MAX_CLIPBOARD, "text");
  const text = r.text(r.rest(), "text");
  r.check(!text.includes("\0"), "text");
  return { kind: "clipboard", text };
}
