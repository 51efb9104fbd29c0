// Finite state entropy tables of zstd (RFC 8878, section 4.1).

import { ZstdError } from "./zstderror.ts";

/** Greatest accuracy log of any table in a zstd stream. */
const MAX_LOG = 9;

/**
 * A decoding table. A cell packs what a state means: symbol in bits 24 to 31, number of bits to read for the next
 * state in bits 16 to 23, and the base these bits are added to in bits 0 to 15.
 */
export class FseTable {
  readonly cells = new Uint32Array(1 << MAX_LOG);
  log = 0;

  /** Makes this a table that always yields symbol and reads no bits. */
  fill(symbol: number): void {
    this.log = 0;
    this.cells[0] = symbol << 24;
  }

  /** Builds the table of a normalised distribution: count[i] of -1 is "less than one". Sums must be 2^log. */
  build(count: Int16Array, symbols: number, log: number, scratch: Uint16Array): void {
    const size = 1 << log;
    const { cells } = this;
    let high = size;
    for (let s = 0; s < symbols; s++) {
      const n = count[s]!;
      scratch[s] = n < 0 ? 1 : n;
      if (n < 0) {
        cells[--high] = s;
      }
    }
    const step = (size >> 1) + (size >> 3) + 3;
    let at = 0;
    for (let s = 0; s < symbols; s++) {
      for (let i = count[s]!; i > 0; i--) {
        cells[at] = s;
        do {
          at = (at + step) & (size - 1);
        } while (at >= high);
      }
    }
    for (let i = 0; i < size; i++) {
      const s = cells[i]!;
      const next = scratch[s]!;
      scratch[s] = next + 1;
      const bits = log - (31 - Math.clz32(next));
      cells[i] = (s << 24) | (bits << 16) | ((next << bits) - size);
    }
    this.log = log;
  }
}

/** Reads table descriptions. Belongs to one stream; all its memory is made once. */
export class FseReader {
  readonly #count = new Int16Array(256);
  readonly #scratch = new Uint16Array(256);

  /**
   * Builds table from the description that starts at mem[from] and must end by mem[to]; returns where it ends. mem
   * must be readable for 4 bytes after to.
   */
  read(mem: DataView, from: number, to: number, maxLog: number, maxSymbol: number, table: FseTable): number {
    if (from >= to) {
      throw new ZstdError("short", "table description is missing");
    }
    const log = (mem.getUint8(from) & 15) + 5;
    if (log > maxLog) {
      throw new ZstdError("block", `accuracy log ${log}`);
    }
    const count = this.#count;
    let bit = from * 8 + 4;
    const end = to * 8;
    let remaining = 1 << log;
    let symbol = 0;
    while (remaining > 0) {
      if (symbol > maxSymbol) {
        throw new ZstdError("block", "too many symbols");
      }
      const bits = 32 - Math.clz32(remaining + 1);
      let value = peek(mem, bit, bits);
      const low = (1 << (bits - 1)) - 1;
      const threshold = (1 << bits) - 1 - (remaining + 1);
      if ((value & low) < threshold) {
        value &= low;
        bit += bits - 1;
      } else {
        if (value > low) {
          value -= threshold;
        }
        bit += bits;
      }
      if (bit > end) {
        throw new ZstdError("short", "table description ends early");
      }
      const n = value - 1;
      remaining -= n < 0 ? 1 : n;
      if (remaining < 0) {
        throw new ZstdError("block", "probabilities exceed one");
      }
      count[symbol++] = n;
      if (n !== 0) {
        continue;
      }
      for (let repeat = 3; repeat === 3;) {
        repeat = peek(mem, bit, 2);
        bit += 2;
        if (bit > end) {
          throw new ZstdError("short", "table description ends early");
        }
        if (symbol + repeat > maxSymbol + 1) {
          throw new ZstdError("block", "too many symbols");
        }
        for (let i = 0; i < repeat; i++) {
          count[symbol++] = 0;
        }
      }
    }
    table.build(count, symbol, log, this.#scratch);
    return (bit + 7) >>> 3;
  }
}

/** The n bits (at most 25) that start at bit number `at`, counted from the lowest bit of byte 0. */
function peek(mem: DataView, at: number, n: number): number {
  return (mem.getUint32(at >>> 3, true) >>> (at & 7)) & ((1 << n) - 1);
}
