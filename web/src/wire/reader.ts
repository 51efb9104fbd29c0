import { type Class, WireError } from "./error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Takes a message apart. Every method throws a WireError when the bytes do not suffice or a value is not allowed. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 1;

  /** @param bytes the whole message, with its type byte */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(cls: Class, field = ""): never {
    throw new WireError(cls, this.#bytes[0] ?? 0, field);
  }

  check(ok: boolean, field: string): void {
    if (!ok) {
      this.fail("range", field);
    }
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #advance(n: number): number {
    if (this.left < n) {
      this.fail("short");
    }
    const at = this.#at;
    this.#at += n;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  i16(): number {
    return this.#view.getInt16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  /** A u64 that is at most max, which is at most 2^53 - 1. */
  u64(max: number, field: string): number {
    const at = this.#advance(8);
    const v = this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
    this.check(v <= max, field);
    return v;
  }

  /** A byte that is 0 or 1. */
  flag(field: string): boolean {
    const v = this.u8();
    this.check(v <= 1, field);
    return v === 1;
  }

  /** The next n bytes, as a view. */
  take(n: number): Uint8Array {
    const at = this.#advance(n);
    return this.#bytes.subarray(at, at + n);
  }

  /** All that is left, as a view. */
  rest(): Uint8Array {
    return this.take(this.left);
  }

  text(bytes: Uint8Array, field: string): string {
    try {
      return utf8.decode(bytes);
    } catch {
      return this.fail("range", field);
    }
  }

  /** A length byte and that many bytes of UTF-8. */
  str8(field: string): string {
    return this.text(this.take(this.u8()), field);
  }
}
