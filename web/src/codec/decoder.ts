// The coder q2z: updates to pixels, as docs/protocol/codec.md has it. The counterpart of internal/codec's Decoder.

import { Commands } from "./commands.ts";
import { CodecError } from "./error.ts";
import { Photo } from "./photo.ts";
import { BLACK } from "./pixel.ts";
import { Store } from "./store.ts";
import { Tokens } from "./tokens.ts";
import { parseFrameHeader, ZstdError, ZstdStream } from "./zstd.ts";

export { CodecError } from "./error.ts";

/** The number of this coder in the seal's handshake. */
export const CODER_Q2Z = 1;

/** Greatest side of a picture, in pixels. */
export const MAX_SIDE = 16384;

/** Most pixels of a picture. */
export const MAX_PIXELS = 2 ** 26;

const MAX_UPDATE = 1 << 20;
const MAX_COMMANDS = 1 << 20;
const MAX_SAVES = 4096;
const MAX_LOADS = 4096;
const MAX_MOVES = 2048;
const WINDOW = 1 << 25;
const HEADER_SIZE = 6;

const MODE_TOKENS = 0;
const MODE_PHOTO = 1;
const MODE_PLAIN = 2;

/** A rectangle of pixels. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/**
 * Rebuilds the picture of a desk from the updates of one session and one size. Updates must be decoded each, once, in
 * order. After an error (CodecError) it is of no use.
 */
export class Decoder {
  readonly width: number;
  readonly height: number;
  /** The picture, row after row: see pixel.ts. Changes with each update. */
  readonly pixels: Int32Array<ArrayBuffer>;
  readonly #area: number;
  readonly #commands = new Commands(new Uint8Array(0), 0, 0);
  readonly #tokens = new Tokens();
  readonly #photo = new Photo();
  readonly #store: Store;
  #stream: ZstdStream | undefined;
  #rects = new Int32Array(4 * 256);
  #count = 0;
  #moves = new Int32Array(6 * 64);
  #scratch = new Int32Array(0);
  #broken = false;

  /** mirror is the picture to start from, which is copied; without it the picture is black. */
  constructor(width: number, height: number, mirror?: Int32Array) {
    const fits = width >= 1 && height >= 1 && width <= MAX_SIDE && height <= MAX_SIDE && width * height <= MAX_PIXELS;
    if (!fits) {
      throw new CodecError("range", `size ${width} x ${height}`);
    }
    if (new Uint8Array(Int32Array.of(1).buffer)[0] !== 1) {
      throw new CodecError("range", "this machine is big-endian");
    }
    this.width = width;
    this.height = height;
    this.#area = width * height;
    this.pixels = new Int32Array(this.#area);
    if (mirror === undefined) {
      this.pixels.fill(BLACK);
    } else if (mirror.length === this.#area) {
      this.pixels.set(mirror);
    } else {
      throw new CodecError("range", "mirror of another size");
    }
    this.#store = new Store(this.pixels, width, height);
  }

  /**
   * The rectangles that the last update wrote: x, y, w and h of each in turn. They may overlap. Valid until the next
   * update.
   */
  get damage(): Int32Array {
    return this.#rects.subarray(0, 4 * this.#count);
  }

  /** Decodes the coder bytes of the next update. */
  decode(update: Uint8Array): void {
    if (this.#broken) {
      throw new CodecError("range", "decoder is broken");
    }
    this.#broken = true; // unless all goes well
    this.#count = 0;
    if (update.length > MAX_UPDATE) {
      throw new CodecError("range", "update is too long");
    }
    const in_ = this.#commands;
    in_.set(update, 0, update.length);
    const size = in_.u(MAX_COMMANDS);
    const packed = in_.u(MAX_UPDATE);
    if (size === 0) {
      throw new CodecError("range", "no commands");
    }
    if (packed > in_.left) {
      throw new CodecError("short", "update ends early");
    }
    const end = in_.pos + packed;
    this.#unpack(update.subarray(in_.pos, end), size);
    this.#photo.begin(update.subarray(end));
    this.#readSaves();
    this.#readMoves();
    this.#readLoads();
    this.#readRegions();
    this.#photo.finish();
    this.#broken = false;
  }

  /** Decompresses blocks, which must give exactly size bytes of commands, and sets commands to them. */
  #unpack(blocks: Uint8Array, size: number): void {
    try {
      if (this.#stream === undefined) {
        const header = parseFrameHeader(blocks);
        if (header.window !== WINDOW) {
          throw new CodecError("stream", "window of another size");
        }
        this.#stream = new ZstdStream(WINDOW, MAX_COMMANDS);
        blocks = blocks.subarray(HEADER_SIZE);
      }
      const got = this.#stream.decode(blocks);
      if (got !== size) {
        throw new CodecError("stream", `${got} bytes of commands instead of ${size}`);
      }
    } catch (e) {
      if (e instanceof ZstdError) {
        throw new CodecError("stream", e.message, { cause: e });
      }
      throw e;
    }
    this.#commands.set(this.#stream.mem, this.#stream.end - size, this.#stream.end);
  }

  #readSaves(): void {
    this.#store.begin();
    for (let n = this.#commands.u(MAX_SAVES); n > 0; n--) {
      this.#store.save(this.#commands);
    }
  }

  #readLoads(): void {
    this.#store.begin();
    for (let n = this.#commands.u(MAX_LOADS); n > 0; n--) {
      const { x, y, w, h } = this.#store.load(this.#commands);
      this.#wrote(x, y, w, h);
    }
  }

  #readMoves(): void {
    const in_ = this.#commands;
    let moves = 0;
    let area = 0;
    for (;;) {
      const n = in_.u(MAX_MOVES - moves);
      if (n === 0) {
        break;
      }
      const dx = in_.s();
      const dy = in_.s();
      for (let i = 0; i < n; i++) {
        const r = this.#rect();
        area += r.w * r.h;
        const inside = r.x + dx >= 0 && r.y + dy >= 0 && r.x + dx + r.w <= this.width && r.y + dy + r.h <= this.height;
        if (area > this.#area || !inside) {
          throw new CodecError("range", "a move out of range");
        }
        this.#note(moves++, r, dx, dy);
      }
    }
    if (moves > 0) {
      this.#move(moves, area);
    }
  }

  #note(i: number, r: Rect, dx: number, dy: number): void {
    if (6 * (i + 1) > this.#moves.length) {
      const more = new Int32Array(2 * this.#moves.length);
      more.set(this.#moves);
      this.#moves = more;
    }
    const moves = this.#moves;
    moves[6 * i] = r.x;
    moves[6 * i + 1] = r.y;
    moves[6 * i + 2] = r.w;
    moves[6 * i + 3] = r.h;
    moves[6 * i + 4] = dx;
    moves[6 * i + 5] = dy;
    this.#wrote(r.x, r.y, r.w, r.h);
  }

  /** Makes the moves noted: all sources are read before the first pixel is written. */
  #move(count: number, area: number): void {
    if (this.#scratch.length < area) {
      this.#scratch = new Int32Array(area);
    }
    const { pixels, width } = this;
    const moves = this.#moves;
    const scratch = this.#scratch;
    for (let reading = 1; reading >= 0; reading--) {
      let at = 0;
      for (let i = 0; i < 6 * count; i += 6) {
        const w = moves[i + 2]!;
        const h = moves[i + 3]!;
        let from = moves[i + 1]! * width + moves[i]!;
        if (reading === 1) {
          from += moves[i + 5]! * width + moves[i + 4]!;
        }
        for (let row = 0; row < h; row++, at += w, from += width) {
          if (reading === 1) {
            copy(scratch, at, pixels, from, w);
          } else {
            copy(pixels, from, scratch, at, w);
          }
        }
      }
    }
  }

  #readRegions(): void {
    const in_ = this.#commands;
    let area = 0;
    while (in_.left > 0) {
      const mode = in_.byte();
      const { x, y, w, h } = this.#rect();
      area += w * h;
      if (area > this.#area) {
        throw new CodecError("range", "more pixels than the picture has");
      }
      if (mode === MODE_TOKENS) {
        this.#tokens.fill(this.pixels, this.width, x, y, w, h, in_);
      } else if (mode === MODE_PHOTO) {
        this.#photo.fill(this.pixels, this.width, x, y, w, h);
      } else if (mode === MODE_PLAIN) {
        this.#plain(x, y, w, h);
      } else {
        throw new CodecError("range", `mode ${mode}`);
      }
      this.#wrote(x, y, w, h);
    }
  }

  #plain(x: number, y: number, w: number, h: number): void {
    const { pixels } = this;
    const commands = this.#commands;
    if (commands.left < 3 * w * h) {
      throw new CodecError("short", "pixels end early");
    }
    const { bytes } = commands;
    let from = commands.pos;
    for (let row = y; row < y + h; row++) {
      const at = row * this.width + x;
      for (let i = at; i < at + w; i++, from += 3) {
        pixels[i] = BLACK | (bytes[from]! << 16) | (bytes[from + 1]! << 8) | bytes[from + 2]!;
      }
    }
    commands.pos = from;
  }

  #rect(): Rect {
    const in_ = this.#commands;
    const x = in_.u(MAX_SIDE);
    const y = in_.u(MAX_SIDE);
    const w = in_.u(MAX_SIDE);
    const h = in_.u(MAX_SIDE);
    if (w === 0 || h === 0 || x + w > this.width || y + h > this.height) {
      throw new CodecError("range", "a rectangle outside of the picture");
    }
    return { x, y, w, h };
  }

  #wrote(x: number, y: number, w: number, h: number): void {
    if (4 * (this.#count + 1) > this.#rects.length) {
      const more = new Int32Array(2 * this.#rects.length);
      more.set(this.#rects);
      this.#rects = more;
    }
    const at = 4 * this.#count++;
    this.#rects[at] = x;
    this.#rects[at + 1] = y;
    this.#rects[at + 2] = w;
    this.#rects[at + 3] = h;
  }
}

function copy(to: Int32Array, at: number, from: Int32Array, start: number, n: number): void {
  if (n > 256) {
    to.set(from.subarray(start, start + n), at);
  } else {
    for (let i = 0; i < n; i++) {
      to[at + i] = from[start + i]!;
    }
  }
}

/**
 * A picture as its hash is taken: B, G, R, 0 for each pixel.
 */
export function toBGRX(pixels: Int32Array): Uint8Array<ArrayBuffer> {
  const out = new Int32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    const p = pixels[i]!;
    out[i] = ((p & 255) << 16) | (p & 0xff00) | ((p >> 16) & 255);
  }
  return new Uint8Array(out.buffer);
}

/** SHA-256 of a picture, as docs/PROTOCOL.md names it for resuming. */
export async function hashPicture(pixels: Int32Array): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", toBGRX(pixels)));
}
