import { MAX_NAME } from "./limits.ts";

const utf8 = new TextEncoder();

/** Puts a message together in a buffer that grows. Reusable: `take` returns a copy and begins anew. */
export class Writer {
  #bytes = new Uint8Array(64);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  #advance(n: number): number {
    const at = this.#at;
    this.#at += n;
    if (this.#at > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#at, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(v: number): void {
    const at = this.#advance(1);
    this.#view.setUint8(at, v);
  }

  u16(v: number): void {
    const at = this.#advance(2);
    this.#view.setUint16(at, v);
  }

  u32(v: number): void {
    const at = this.#advance(4);
    this.#view.setUint32(at, v);
  }

  /** v is a whole number of at most 2^53 - 1. */
  u64(v: number): void {
    this.u32(Math.floor(v / 2 ** 32));
    this.u32(v % 2 ** 32);
  }

  flag(v: boolean): void {
    this.u8(v ? 1 : 0);
  }

  raw(v: Uint8Array): void {
    const at = this.#advance(v.length);
    this.#bytes.set(v, at);
  }

  text(v: string): void {
    this.raw(utf8.encode(v));
  }

  /** A length byte and the text, cut to 255 bytes between characters. */
  str8(v: string): void {
    const bytes = utf8.encode(v);
    let n = Math.min(bytes.length, MAX_NAME);
    while (n < bytes.length && n > 0 && ((bytes[n] ?? 0) & 0xc0) === 0x80) {
      n--;
    }
    this.u8(n);
    this.raw(bytes.subarray(0, n));
  }

  /** A copy of what was written; the writer is empty again. */
  take(): Uint8Array<ArrayBuffer> {
    const out = this.#bytes.slice(0, this.#at);
    this.#at = 0;
    return out;
  }
}
