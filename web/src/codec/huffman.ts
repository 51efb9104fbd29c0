// Huffman coded literals of zstd (RFC 8878, section 4.2).

import { FseReader, FseTable } from "./fse.ts";
import { ZstdError } from "./zstderror.ts";

const MAX_BITS = 11;
const MAX_SYMBOLS = 256;
const MAX_WEIGHT_LOG = 6;

/** The tree of a stream's literals: read from a block, kept for the blocks after it. */
export class Huffman {
  /** For each value of the next `bits` bits: the symbol in bits 0 to 7, its length in bits 8 and up. */
  readonly #cells = new Uint16Array(1 << MAX_BITS);
  readonly #weights = new Uint8Array(MAX_SYMBOLS);
  readonly #starts = new Uint16Array(MAX_BITS + 2);
  readonly #table = new FseTable();
  #bits = 0;

  /** Whether a tree was read yet. */
  get known(): boolean {
    return this.#bits > 0;
  }

  /** Reads the tree at view[from..to) and returns where it ends. */
  readTree(view: DataView, from: number, to: number, fse: FseReader): number {
    if (from >= to) {
      throw new ZstdError("short", "tree is missing");
    }
    const head = view.getUint8(from);
    if (head < 128) {
      const end = from + 1 + head;
      if (end > to) {
        throw new ZstdError("short", "tree ends early");
      }
      this.#build(this.#readWeights(view, from + 1, end, fse));
      return end;
    }
    const n = head - 127;
    const end = from + 1 + ((n + 1) >> 1);
    if (end > to) {
      throw new ZstdError("short", "tree ends early");
    }
    for (let i = 0; i < n; i++) {
      const two = view.getUint8(from + 1 + (i >> 1));
      this.#weights[i] = (i & 1) === 0 ? two >> 4 : two & 15;
    }
    this.#build(n);
    return end;
  }

  /** Reads weights coded by two interleaved states; returns how many. */
  #readWeights(view: DataView, from: number, to: number, fse: FseReader): number {
    const at = fse.read(view, from, to, MAX_WEIGHT_LOG, MAX_BITS + 1, this.#table);
    const { cells, log } = this.#table;
    let bit = streamBits(view, at, to);
    let one = take(view, at, (bit -= log), log);
    let two = take(view, at, (bit -= log), log);
    if (bit < 0) {
      throw new ZstdError("short", "weights end early");
    }
    // The states take turns; the one that cannot be renewed any more ends it, after the other's last symbol.
    for (let n = 0; n + 1 < MAX_SYMBOLS;) {
      const cell = cells[one]!;
      this.#weights[n++] = cell >>> 24;
      const bits = (cell >>> 16) & 255;
      bit -= bits;
      if (bit < 0) {
        this.#weights[n++] = cells[two]! >>> 24;
        return n;
      }
      one = two;
      two = (cell & 0xffff) + take(view, at, bit, bits);
    }
    throw new ZstdError("block", "too many weights");
  }

  /** Builds the table from n weights; the last symbol's weight follows from the others. */
  #build(n: number): void {
    const weights = this.#weights;
    const starts = this.#starts;
    const cells = this.#cells;
    if (n >= MAX_SYMBOLS) {
      throw new ZstdError("block", "too many weights");
    }
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const w = weights[i]!;
      if (w > MAX_BITS) {
        throw new ZstdError("block", `weight ${w}`);
      }
      if (w > 0) {
        sum += 1 << (w - 1);
      }
    }
    if (sum === 0) {
      throw new ZstdError("block", "tree without symbols");
    }
    const bits = 32 - Math.clz32(sum);
    const rest = (1 << bits) - sum;
    if (bits > MAX_BITS || (rest & (rest - 1)) !== 0) {
      throw new ZstdError("block", "tree is not complete");
    }
    weights[n++] = 32 - Math.clz32(rest);
    starts.fill(0);
    for (let i = 0; i < n; i++) {
      const w = weights[i]!;
      if (w > 0) {
        starts[w + 1] = starts[w + 1]! + (1 << (w - 1));
      }
    }
    for (let w = 2; w <= bits + 1; w++) {
      starts[w] = starts[w]! + starts[w - 1]!;
    }
    for (let i = 0; i < n; i++) {
      const w = weights[i]!;
      if (w === 0) {
        continue;
      }
      const from = starts[w]!;
      const to = from + (1 << (w - 1));
      cells.fill(((bits + 1 - w) << 8) | i, from, to);
      starts[w] = to;
    }
    this.#bits = bits;
  }

  /** Decodes view[from..to) to exactly n bytes at out[at]. */
  decode(view: DataView, from: number, to: number, out: Uint8Array, at: number, n: number): void {
    const cells = this.#cells;
    const bits = this.#bits;
    const mask = (1 << bits) - 1;
    let bit = streamBits(view, from, to);
    const end = at + n;
    // Two symbols take at most 22 bits, so that one 32-bit read at any bit offset holds them.
    while (bit >= 32 && at + 1 < end) {
      const low = bit - 25;
      const word = view.getUint32(from + (low >> 3), true) >>> (low & 7);
      const first = cells[(word >>> (25 - bits)) & mask]!;
      out[at++] = first;
      const used = first >> 8;
      const second = cells[(word >>> (25 - bits - used)) & mask]!;
      out[at++] = second;
      bit -= used + (second >> 8);
    }
    while (at < end) {
      // Near the end fewer bits than the longest code are left: the missing ones count as zeros.
      const have = bit < bits ? bit : bits;
      const cell = cells[take(view, from, bit - have, have) << (bits - have)]!;
      bit -= cell >> 8;
      if (bit < 0) {
        throw new ZstdError("block", "literals end early");
      }
      out[at++] = cell;
    }
    if (bit !== 0) {
      throw new ZstdError("block", "literals are followed by more bits");
    }
  }
}

/** How many bits the backward stream view[from..to) holds: all below the highest bit that is set in its last byte. */
export function streamBits(view: DataView, from: number, to: number): number {
  const last = to > from ? view.getUint8(to - 1) : 0;
  if (last === 0) {
    throw new ZstdError("block", "bit stream without an end mark");
  }
  return (to - from) * 8 - 1 - (Math.clz32(last) - 24);
}

/** The n (at most 25) bits from number bit of the stream at from. */
function take(view: DataView, from: number, bit: number, n: number): number {
  return (view.getUint32(from + (bit >> 3), true) >>> (bit & 7)) & ((1 << n) - 1);
}
