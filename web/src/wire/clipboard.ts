import { MAX_CLIPBOARD } from "./limits.ts";
import type { Reader } from "./reader.ts";
import { parseWhole } from "./text.ts";
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
  return { kind: "clipboard", text: parseWhole(r, MAX_CLIPBOARD) };
}
