import { onCurve, PUBLIC_KEY_SIZE } from "./curve.ts";
import { CertError, type Code } from "./error.ts";

/** Bytes that WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Takes the fields of a structure of docs/PROTOCOL.md sections 1 and 2, one after another. Throws CertError. */
export class Reader {
  readonly #what: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  /** what names the structure in errors. */
  constructor(what: string, bytes: Uint8Array) {
    this.#what = what;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(code: Code): never {
    throw new CertError(this.#what, code);
  }

  require(ok: boolean): void {
    if (!ok) {
      this.fail("range");
    }
  }

  /** Throws if bytes are left. */
  done(): void {
    if (this.#at !== this.#bytes.length) {
      this.fail("trailer");
    }
  }

  /** How many bytes were taken. */
  get position(): number {
    return this.#at;
  }

  #skip(n: number): number {
    const at = this.#at;
    if (this.#bytes.length - at < n) {
      this.fail("short");
    }
    this.#at = at + n;
    return at;
  }

  /** Takes a magic of two letters and a version byte, and requires both. */
  header(magic: string, version: number): void {
    const at = this.#skip(2);
    if (this.#bytes[at] !== magic.charCodeAt(0) || this.#bytes[at + 1] !== magic.charCodeAt(1)) {
      this.fail("magic");
    }
    if (this.u8() !== version) {
      this.fail("version");
    }
  }

  /** Takes n bytes and copies them. */
  bytes(n: number): Bytes {
    const at = this.#skip(n);
    return new Uint8Array(this.#bytes.subarray(at, at + n));
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4));
  }

  /** Takes a time in milliseconds since 1970. */
  time(): number {
    const ms = this.#view.getBigUint64(this.#skip(8));
    this.require(ms <= BigInt(Number.MAX_SAFE_INTEGER));
    return Number(ms);
  }

  /** Takes a str8 of at least low and at most high bytes of valid UTF-8. */
  string(low: number, high: number): string {
    const n = this.u8();
    const at = this.#skip(n);
    this.require(n >= low && n <= high);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.#bytes.subarray(at, at + n));
    } catch {
      return this.fail("range");
    }
  }

  /** Takes a P-256 key and requires a point of the curve. */
  key(): Bytes {
    const key = this.bytes(PUBLIC_KEY_SIZE);
    this.require(onCurve(key));
    return key;
  }
}
