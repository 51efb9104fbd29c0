// Records: sizes, keys and form; docs/PROTOCOL.md section 4. Counterpart of record.go.
import type { Bytes } from "../cert/reader.ts";
import { decrypt, encrypt, importKey, TAG_SIZE } from "./aead.ts";
import { SealError } from "./error.ts";
import { expand } from "./hash.ts";

export const CHANNEL = { control: 0, display: 1 } as const;
export const DIRECTION = { fromViewer: 0, fromAgent: 1 } as const;
export type ChannelNumber = (typeof CHANNEL)[keyof typeof CHANNEL];
export type DirectionNumber = (typeof DIRECTION)[keyof typeof DIRECTION];

export const HEADER_SIZE = 3;
const MAX_PLAINTEXT = 61_440;
const LAST = 1;
const KEY_RECORDS = 2 ** 16;
const KEY_BYTES = 2 ** 30;

/** The table of plaintext sizes of one direction of a channel. */
export class Shape {
  readonly channel: ChannelNumber;
  readonly direction: DirectionNumber;

  constructor(channel: ChannelNumber, direction: DirectionNumber) {
    this.channel = channel;
    this.direction = direction;
  }

  /** The greatest plaintext. */
  get largest(): number {
    if (this.direction === DIRECTION.fromAgent) {
      return MAX_PLAINTEXT;
    }
    return this.channel === CHANNEL.control ? 256 : 64;
  }

  #step(size: number): number {
    if (this.direction === DIRECTION.fromViewer) {
      return this.largest;
    }
    if (this.channel === CHANNEL.control) {
      return 256;
    }
    if (size <= 1024) {
      return 64;
    }
    return size <= 8192 ? 256 : 1024;
  }

  /** The smallest size in the table that holds size bytes. size is at most largest. */
  round(size: number): number {
    const step = this.#step(size);
    return Math.ceil(size / step) * step;
  }

  /** Says whether size is in the table. */
  has(size: number): boolean {
    return size > 0 && size <= this.largest && size % this.#step(size) === 0;
  }
}

/** The traffic key of one direction of a channel. Which key a record has follows from the sizes of those before it. */
export class Ratchet {
  readonly #usage: "encrypt" | "decrypt";
  #secret: Promise<Bytes>;
  #key: Promise<CryptoKey>;
  #counter: number;
  #bytes: number;

  /** counter and bytes are those used up under the key: 0 but in vectors. */
  constructor(secret: Bytes, usage: "encrypt" | "decrypt", counter = 0, bytes = 0) {
    this.#usage = usage;
    this.#secret = Promise.resolve(secret);
    this.#key = this.#derive();
    this.#counter = counter;
    this.#bytes = bytes;
  }

  #derive(): Promise<CryptoKey> {
    return this.#secret.then(async (s) => importKey(await expand(s, "jiseki-seal-1 key"), [this.#usage]));
  }

  /**
   * Key and counter of the next record, which has size bytes of plaintext. Records get theirs in the order of the
   * calls.
   */
  #advance(size: number): { key: Promise<CryptoKey>; counter: number } {
    if (this.#counter === KEY_RECORDS || this.#bytes + size > KEY_BYTES) {
      this.#secret = this.#secret.then((s) => expand(s, "jiseki-seal-1 next"));
      this.#key = this.#derive();
      this.#counter = 0;
      this.#bytes = 0;
    }
    this.#bytes += size;
    return { key: this.#key, counter: this.#counter++ };
  }

  /** Seals a plaintext. Calls may overlap. */
  async seal(plaintext: Bytes): Promise<Bytes> {
    const { key, counter } = this.#advance(plaintext.length);
    return encrypt(await key, counter, plaintext);
  }

  /** Opens a record. Calls may overlap. Rejects with SealError "open". */
  async open(record: Bytes): Promise<Bytes> {
    const { key, counter } = this.#advance(record.length - TAG_SIZE);
    try {
      return await decrypt(await key, counter, record);
    } catch {
      throw new SealError("open"); // the cause says nothing more
    }
  }
}

/** Makes a plaintext of size bytes: header, payload, zeros. */
export function frame(size: number, payload: Uint8Array, last: boolean): Bytes {
  const b = new Uint8Array(size);
  b[0] = last ? LAST : 0;
  b[1] = payload.length >> 8;
  b[2] = payload.length;
  b.set(payload, HEADER_SIZE);
  return b;
}

/**
 * Reads a plaintext that has a size of the table; the payload shares its memory. Only the last record of a message may
 * have padding, so that every record brings a message forward. Throws SealError "record".
 */
export function unframe(b: Bytes): { payload: Bytes; last: boolean } {
  const flags = b[0] ?? 0xff;
  const end = HEADER_SIZE + (((b[1] ?? 0xff) << 8) | (b[2] ?? 0xff));
  const last = flags === LAST;
  if ((flags & ~LAST) !== 0 || end > b.length || (!last && end < b.length)) {
    throw new SealError("record", "header");
  }
  for (let i = end; i < b.length; i++) {
    if (b[i] !== 0) {
      throw new SealError("record", "padding");
    }
  }
  return { payload: b.subarray(HEADER_SIZE, end), last };
}
