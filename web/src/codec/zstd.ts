// A streaming decoder of zstd (RFC 8878), made for one frame that lasts as long as a session and is flushed after each
// update. Why it is our own: docs/adr/0005-zstd-in-the-browser.md.

import { FseReader, FseTable } from "./fse.ts";
import { Huffman, streamBits } from "./huffman.ts";
import { ZstdError } from "./zstderror.ts";

export { ZstdError, type ZstdFault } from "./zstderror.ts";

/** Greatest window that is accepted, in bytes. */
const MAX_WINDOW = 1 << 25;

const MAGIC = 0xfd2fb528;
const MAX_BLOCK = 1 << 17;
const SLACK = 16; // readable bytes behind what bit readers may look at
const MAX_OFFSET_CODE = 25; // greater ones reach beyond MAX_WINDOW

// prettier-ignore
const LENGTH_BASE = Uint32Array.of(
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20, 22, 24, 28, 32, 40, 48, 64, 128, 256, 512, 1024,
  2048, 4096, 8192, 16384, 32768, 65536);
// prettier-ignore
const LENGTH_BITS = Uint8Array.of(
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
// prettier-ignore
const MATCH_BASE = Uint32Array.of(
  3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33,
  34, 35, 37, 39, 41, 43, 47, 51, 59, 67, 83, 99, 131, 259, 515, 1027, 2051, 4099, 8195, 16387, 32771, 65539);
// prettier-ignore
const MATCH_BITS = Uint8Array.of(
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3,
  3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);

// prettier-ignore
const LENGTH_DEFAULT = [
  4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1];
// prettier-ignore
const MATCH_DEFAULT = [
  1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1];
// prettier-ignore
const OFFSET_DEFAULT = [
  1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1];

/** One of the three kinds of numbers a sequence is made of: the table in use and what may replace it. */
class Code {
  readonly #predefined = new FseTable();
  readonly #own = new FseTable();
  readonly #maxLog: number;
  readonly #maxSymbol: number;
  /** The table of the current block, undefined before the first. */
  table: FseTable | undefined;

  constructor(distribution: readonly number[], log: number, maxLog: number, maxSymbol: number) {
    this.#predefined.build(
      Int16Array.from(distribution),
      distribution.length,
      log,
      new Uint16Array(distribution.length),
    );
    this.#maxLog = maxLog;
    this.#maxSymbol = maxSymbol;
  }

  /** Chooses the table that mode names, reading view[from..to) if need be; returns where its description ends. */
  choose(mode: number, view: DataView, from: number, to: number, fse: FseReader): number {
    switch (mode) {
      case 0:
        this.table = this.#predefined;
        return from;
      case 1: {
        if (from >= to) {
          throw new ZstdError("short", "symbol is missing");
        }
        const symbol = view.getUint8(from);
        if (symbol > this.#maxSymbol) {
          throw new ZstdError("block", `code ${symbol}`);
        }
        this.#own.fill(symbol);
        this.table = this.#own;
        return from + 1;
      }
      case 2:
        this.table = this.#own;
        return fse.read(view, from, to, this.#maxLog, this.#maxSymbol, this.#own);
      default:
        if (this.table === undefined) {
          throw new ZstdError("block", "repeats a table that is not there");
        }
        return from;
    }
  }
}

/**
 * Decodes one frame, piece by piece. Each piece is a run of whole blocks, as a flush makes them, and all its bytes come
 * out at once, in one stretch of memory. Makes no buffers after it was made.
 *
 * Memory: the history lies in mem[0..wrap) as a ring that is turned only between pieces, so that no piece is torn; it
 * is the window and one greatest piece long. Behind it lie the literals of a block and a copy of the block's coded
 * bytes.
 */
export class ZstdStream {
  /** Where decoded bytes lie: see decode. */
  readonly mem: Uint8Array;
  readonly #view: DataView;
  readonly #window: number;
  readonly #limit: number;
  readonly #literalsAt: number;
  readonly #blockAt: number;

  #pos = 0;
  #wrap = 0; // where the ring was turned last, 0 if not yet: bytes pos..wrap are the oldest
  #broken = false;

  readonly #fse = new FseReader();
  readonly #tree = new Huffman();
  readonly #lengths = new Code(LENGTH_DEFAULT, 6, 9, 35);
  readonly #offsets = new Code(OFFSET_DEFAULT, 5, 8, MAX_OFFSET_CODE);
  readonly #matches = new Code(MATCH_DEFAULT, 6, 9, 52);
  #rep0 = 1;
  #rep1 = 4;
  #rep2 = 8;
  #literals = 0; // where this block's literals lie in mem
  #literalsEnd = 0;

  /**
   * Starts behind a frame's header. window is the frame's window, limit the most that one piece may decode to, both in
   * bytes; blocks follow.
   */
  constructor(window: number, limit: number) {
    if (window < 1024 || window > MAX_WINDOW) {
      throw new ZstdError("header", `window of ${window} bytes`);
    }
    this.#window = window;
    this.#limit = limit;
    this.#literalsAt = window + limit;
    this.#blockAt = this.#literalsAt + MAX_BLOCK + SLACK;
    this.mem = new Uint8Array(this.#blockAt + MAX_BLOCK + SLACK);
    this.#view = new DataView(this.mem.buffer);
  }

  /**
   * Decodes piece, a run of whole blocks, to at most the limit given to the constructor. Returns how many bytes that
   * are: they end at `end` in mem and stay there until the next call.
   */
  decode(piece: Uint8Array): number {
    if (this.#broken) {
      throw new ZstdError("ended", "stream is broken");
    }
    this.#broken = true; // unless all goes well
    if (this.#pos + this.#limit > this.#literalsAt) {
      this.#wrap = this.#pos;
      this.#pos = 0;
    }
    const start = this.#pos;
    const stop = start + this.#limit;
    for (let at = 0; at < piece.length;) {
      if (at + 3 > piece.length) {
        throw new ZstdError("short", "block header ends early");
      }
      const head = piece[at]! | (piece[at + 1]! << 8) | (piece[at + 2]! << 16);
      at += 3;
      if ((head & 1) === 1) {
        throw new ZstdError("ended", "last block of a stream that does not end");
      }
      at += this.#block((head >> 1) & 3, head >> 3, piece, at, stop);
    }
    this.#broken = false;
    return this.#pos - start;
  }

  /** Where in mem the bytes of the last piece end. */
  get end(): number {
    return this.#pos;
  }

  /** Decodes one block whose content starts at piece[at]; returns how many bytes of piece it takes. */
  #block(type: number, size: number, piece: Uint8Array, at: number, stop: number): number {
    if (size > Math.min(MAX_BLOCK, this.#window)) {
      throw new ZstdError("block", `block of ${size} bytes`);
    }
    const coded = type === 1 ? 1 : size;
    if (at + coded > piece.length) {
      throw new ZstdError("short", "block ends early");
    }
    const { mem } = this;
    const from = this.#pos;
    switch (type) {
      case 0:
        this.#room(size, stop);
        mem.set(piece.subarray(at, at + size), from);
        this.#pos += size;
        break;
      case 1:
        this.#room(size, stop);
        mem.fill(piece[at]!, from, from + size);
        this.#pos += size;
        break;
      case 2:
        if (size < 2) {
          throw new ZstdError("block", "compressed block is too short");
        }
        mem.set(piece.subarray(at, at + size), this.#blockAt);
        this.#compressed(this.#blockAt + size, Math.min(stop, from + MAX_BLOCK));
        break;
      default:
        throw new ZstdError("block", "reserved block type");
    }
    return coded;
  }

  #room(n: number, stop: number): void {
    if (this.#pos + n > stop) {
      throw new ZstdError("limit", "more bytes than allowed");
    }
  }

  #compressed(to: number, stop: number): void {
    const at = this.#readLiterals(this.#blockAt, to);
    this.#readSequences(at, to, stop);
    const rest = this.#literalsEnd - this.#literals;
    this.#room(rest, stop);
    this.mem.copyWithin(this.#pos, this.#literals, this.#literalsEnd);
    this.#pos += rest;
  }

  /** Reads the literals section at mem[at..to); returns where it ends. */
  #readLiterals(at: number, to: number): number {
    const { mem } = this;
    const view = this.#view;
    const head = mem[at]!;
    const type = head & 3;
    const format = (head >> 2) & 3;
    const streams = format === 0 ? 1 : 4;
    // Bytes of the header: 1, 2 or 3 for plain literals, 3, 4 or 5 for coded ones.
    const width = type < 2 ? ((format & 1) === 0 ? 1 : (format + 3) >> 1) : format < 2 ? 3 : format + 2;
    if (at + width > to) {
      throw new ZstdError("short", "literals header ends early");
    }
    const word = view.getUint32(at, true);
    at += width;
    if (type < 2) {
      const size = width === 1 ? head >> 3 : (word >>> 4) & (width === 2 ? 0xfff : 0xfffff);
      return this.#plainLiterals(type, size, at, to);
    }
    const bits = width === 3 ? 10 : width === 4 ? 14 : 18;
    const mask = (1 << bits) - 1;
    const size = (word >>> 4) & mask;
    const coded = width === 5 ? ((word >>> 22) | (mem[at - 1]! << 10)) & mask : (word >>> (4 + bits)) & mask;
    if (size > MAX_BLOCK) {
      throw new ZstdError("block", "too many literals");
    }
    const end = at + coded;
    if (end > to) {
      throw new ZstdError("short", "literals end early");
    }
    if (type === 2) {
      at = this.#tree.readTree(view, at, end, this.#fse);
    } else if (!this.#tree.known) {
      throw new ZstdError("block", "repeats a tree that is not there");
    }
    this.#literals = this.#literalsAt;
    this.#literalsEnd = this.#literalsAt + size;
    if (streams === 1) {
      this.#tree.decode(view, at, end, mem, this.#literalsAt, size);
    } else {
      this.#fourStreams(at, end, size);
    }
    return end;
  }

  #plainLiterals(type: number, size: number, at: number, to: number): number {
    if (size > MAX_BLOCK) {
      throw new ZstdError("block", "too many literals");
    }
    const coded = type === 0 ? size : 1;
    if (at + coded > to) {
      throw new ZstdError("short", "literals end early");
    }
    this.#literals = type === 0 ? at : this.#literalsAt;
    this.#literalsEnd = this.#literals + size;
    if (type === 1) {
      this.mem.fill(this.mem[at]!, this.#literals, this.#literalsEnd);
    }
    return at + coded;
  }

  #fourStreams(at: number, end: number, size: number): void {
    const { mem } = this;
    const view = this.#view;
    const tree = this.#tree;
    const each = (size + 3) >> 2;
    if (at + 6 > end || size < 6) {
      throw new ZstdError("block", "four streams of too little");
    }
    let from = at + 6;
    for (let i = 0; i < 4; i++) {
      const to = i < 3 ? from + view.getUint16(at + 2 * i, true) : end;
      if (to > end) {
        throw new ZstdError("short", "stream of literals ends early");
      }
      tree.decode(view, from, to, mem, this.#literalsAt + i * each, i < 3 ? each : size - 3 * each);
      from = to;
    }
  }

  /** Reads the sequences section at mem[at..to) and carries the sequences out. */
  #readSequences(at: number, to: number, stop: number): void {
    const { mem } = this;
    const view = this.#view;
    const fse = this.#fse;
    if (at >= to) {
      throw new ZstdError("short", "sequences are missing");
    }
    let count = mem[at++]!;
    if (count === 0) {
      if (at !== to) {
        throw new ZstdError("block", "bytes after no sequences");
      }
      return;
    }
    if (count >= 128) {
      const wide = count === 255;
      if (at + (wide ? 2 : 1) > to) {
        throw new ZstdError("short", "number of sequences ends early");
      }
      count = wide ? view.getUint16(at, true) + 0x7f00 : ((count - 128) << 8) + mem[at]!;
      at += wide ? 2 : 1;
    }
    if (at >= to) {
      throw new ZstdError("short", "modes of sequences are missing");
    }
    const modes = mem[at++]!;
    if ((modes & 3) !== 0) {
      throw new ZstdError("block", "reserved mode bits");
    }
    at = this.#lengths.choose(modes >> 6, view, at, to, fse);
    at = this.#offsets.choose((modes >> 4) & 3, view, at, to, fse);
    at = this.#matches.choose((modes >> 2) & 3, view, at, to, fse);
    this.#sequences(count, at, to, stop);
  }

  #sequences(count: number, at: number, to: number, stop: number): void {
    const view = this.#view;
    const lengths = this.#lengths.table!;
    const offsets = this.#offsets.table!;
    const matches = this.#matches.table!;
    let bit = streamBits(view, at, to);
    let l = peek(view, at, (bit -= lengths.log), lengths.log);
    let o = peek(view, at, (bit -= offsets.log), offsets.log);
    let m = peek(view, at, (bit -= matches.log), matches.log);
    if (bit < 0) {
      throw new ZstdError("short", "sequences end early");
    }
    for (let left = count; left > 0; left--) {
      const lc = lengths.cells[l]!;
      const oc = offsets.cells[o]!;
      const mc = matches.cells[m]!;
      const offsetCode = oc >>> 24;
      if (offsetCode > MAX_OFFSET_CODE) {
        throw new ZstdError("block", "offset beyond the window");
      }
      const value = (1 << offsetCode) + peek(view, at, (bit -= offsetCode), offsetCode);
      const matchBits = MATCH_BITS[mc >>> 24]!;
      const match = MATCH_BASE[mc >>> 24]! + peek(view, at, (bit -= matchBits), matchBits);
      const lengthBits = LENGTH_BITS[lc >>> 24]!;
      const length = LENGTH_BASE[lc >>> 24]! + peek(view, at, (bit -= lengthBits), lengthBits);
      if (left > 1) {
        let n = (lc >>> 16) & 255;
        l = (lc & 0xffff) + peek(view, at, (bit -= n), n);
        n = (mc >>> 16) & 255;
        m = (mc & 0xffff) + peek(view, at, (bit -= n), n);
        n = (oc >>> 16) & 255;
        o = (oc & 0xffff) + peek(view, at, (bit -= n), n);
      }
      if (bit < 0) {
        throw new ZstdError("short", "sequences end early");
      }
      this.#copy(length, this.#offset(value, length), match, stop);
    }
    if (bit !== 0) {
      throw new ZstdError("block", "sequences are followed by more bits");
    }
  }

  /** The distance that an offset value means, by the three last ones (RFC 8878, section 3.1.1.5). */
  #offset(value: number, length: number): number {
    if (value > 3) {
      this.#rep2 = this.#rep1;
      this.#rep1 = this.#rep0;
      return (this.#rep0 = value - 3);
    }
    const index = length === 0 ? value : value - 1;
    if (index === 0) {
      return this.#rep0;
    }
    const offset = index === 1 ? this.#rep1 : index === 2 ? this.#rep2 : this.#rep0 - 1;
    if (offset === 0) {
      throw new ZstdError("block", "offset of nothing");
    }
    if (index !== 1) {
      this.#rep2 = this.#rep1;
    }
    this.#rep1 = this.#rep0;
    return (this.#rep0 = offset);
  }

  /** Carries out one sequence: `length` literals, then `match` bytes from `offset` back. */
  #copy(length: number, offset: number, match: number, stop: number): void {
    const { mem } = this;
    const literals = this.#literals;
    let to = this.#pos;
    if (literals + length > this.#literalsEnd) {
      throw new ZstdError("block", "too few literals");
    }
    if (to + length + match > stop) {
      throw new ZstdError("limit", "more bytes than allowed");
    }
    if (length > 24) {
      mem.copyWithin(to, literals, literals + length);
    } else {
      for (let i = 0; i < length; i++) {
        mem[to + i] = mem[literals + i]!;
      }
    }
    this.#literals = literals + length;
    to += length;
    this.#pos = to + match;

    let from = to - offset;
    if (offset > this.#window) {
      throw new ZstdError("block", "offset beyond the window");
    }
    if (from < 0) {
      // Before the turn of the ring. It was turned later than a window's length, so that what is copied lies ahead of
      // what is written.
      from += this.#wrap;
      if (from < to) {
        throw new ZstdError("block", "offset before the start");
      }
      this.#copyAround(from, to, match);
      return;
    }
    if (offset >= match && match > 24) {
      mem.copyWithin(to, from, from + match);
    } else {
      for (let i = 0; i < match; i++) {
        mem[to + i] = mem[from + i]!;
      }
    }
  }

  #copyAround(from: number, to: number, n: number): void {
    const { mem } = this;
    const wrap = this.#wrap;
    const first = Math.min(n, wrap - from);
    mem.copyWithin(to, from, from + first);
    for (let i = 0; i < n - first; i++) {
      mem[to + first + i] = mem[i]!;
    }
  }
}

/**
 * The n (at most 25) bits from number bit of the stream at from. bit may be a few below 0, which the caller checks
 * after.
 */
function peek(view: DataView, from: number, bit: number, n: number): number {
  return (view.getUint32(from + (bit >> 3), true) >>> (bit & 7)) & ((1 << n) - 1);
}

/**
 * Reads a frame's header at the start of bytes. Only what a session's stream has is taken: no content size, no
 * dictionary, no checksum (the seal authenticates every byte), a window of at most MAX_WINDOW.
 */
export function parseFrameHeader(bytes: Uint8Array): { readonly window: number; readonly size: number } {
  if (bytes.length < 6) {
    throw new ZstdError("short", "header ends early");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0, true) !== MAGIC) {
    throw new ZstdError("header", "not a zstd frame");
  }
  const flags = view.getUint8(4);
  if ((flags & 0x20) !== 0 || flags >> 6 !== 0) {
    throw new ZstdError("header", "content size is given");
  }
  if ((flags & 0x18) !== 0) {
    throw new ZstdError("header", "unused or reserved bit is set");
  }
  if ((flags & 0x04) !== 0) {
    throw new ZstdError("header", "checksum is given");
  }
  if ((flags & 0x03) !== 0) {
    throw new ZstdError("header", "dictionary is given");
  }
  const exponent = view.getUint8(5) >> 3;
  const base = 2 ** (10 + exponent);
  const window = base + (base / 8) * (view.getUint8(5) & 7);
  if (window > MAX_WINDOW) {
    throw new ZstdError("header", `window of ${window} bytes`);
  }
  return { window, size: 6 };
}
