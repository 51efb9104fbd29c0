// The photo mode: residuals of the median edge predictor in adaptive Golomb-Rice codes, after LOCO-I (Weinberger,
// Seroussi, Sapiro 1996).

import { CodecError } from "./error.ts";
import { BLACK } from "./pixel.ts";

const CONTEXTS = 20;
const ESCAPE = 16;
const HALVE = 64;
const PAD = 16; // more than the codes of one pixel take

/** Reads the photo regions of an update. */
export class Photo {
  #codes = new Uint8Array(0);
  #view = new DataView(this.#codes.buffer);
  #bit = 0;
  #end = 0;
  readonly #sum = new Int32Array(3 * CONTEXTS);
  readonly #count = new Int32Array(3 * CONTEXTS);

  /** Begins an update: its codes are copied. */
  begin(codes: Uint8Array): void {
    if (codes.length + PAD > this.#codes.length) {
      this.#codes = new Uint8Array(codes.length + PAD);
      this.#view = new DataView(this.#codes.buffer);
    }
    this.#codes.set(codes);
    this.#codes.fill(0, codes.length, codes.length + PAD);
    this.#bit = 0;
    this.#end = codes.length * 8;
  }

  /** Throws unless all codes were read. */
  finish(): void {
    if (this.#bit !== this.#end) {
      throw new CodecError("trailer", "bytes after the photos");
    }
  }

  /** Fills the rectangle (x, y, w, h) of a picture that is `stride` pixels wide. The rectangle must be inside of it. */
  fill(pixels: Int32Array, stride: number, x: number, y: number, w: number, h: number): void {
    this.#reset();
    for (let row = y; row < y + h; row++) {
      this.#row(pixels, stride, x, row, w);
    }
    const rest = (8 - (this.#bit & 7)) & 7;
    if (rest > 0 && (this.#codes[this.#bit >> 3]! & ((1 << rest) - 1)) !== 0) {
      throw new CodecError("range", "codes of a photo are not filled up with zeros");
    }
    this.#bit += rest;
  }

  #reset(): void {
    for (let i = 0; i < 3 * CONTEXTS; i++) {
      this.#sum[i] = 1 << ((i % CONTEXTS) >> 2);
      this.#count[i] = 1;
    }
  }

  #row(pixels: Int32Array, stride: number, x: number, row: number, w: number): void {
    const from = row * stride + x;
    const above = from - stride;
    const top = row === 0;
    const last = stride - 1 - x; // of the row, counted from x
    // Neighbours: a left, b above, c above left, d above right; planes 0 G, 1 R - G, 2 B - G.
    let p = x > 0 ? pixels[from - 1]! : BLACK;
    let a0 = (p >> 8) & 255;
    let a1 = ((p & 255) - a0 + 128) & 255;
    let a2 = ((p >> 16) - a0 + 128) & 255;
    p = top || x === 0 ? BLACK : pixels[above - 1]!;
    let c0 = (p >> 8) & 255;
    let c1 = ((p & 255) - c0 + 128) & 255;
    let c2 = ((p >> 16) - c0 + 128) & 255;
    p = top ? BLACK : pixels[above]!;
    let b0 = (p >> 8) & 255;
    let b1 = ((p & 255) - b0 + 128) & 255;
    let b2 = ((p >> 16) - b0 + 128) & 255;
    for (let i = 0; i < w; i++) {
      p = top || i === last ? BLACK : pixels[above + i + 1]!;
      const d0 = (p >> 8) & 255;
      const d1 = ((p & 255) - d0 + 128) & 255;
      const d2 = ((p >> 16) - d0 + 128) & 255;
      const u = this.#read(0, activity(a0, b0, c0, d0));
      a0 = (predict(a0, b0, c0) + residual(u)) & 255;
      a1 = (predict(a1, b1, c1) + residual(this.#read(CONTEXTS, activity(a1, b1, c1, d1) + u))) & 255;
      a2 = (predict(a2, b2, c2) + residual(this.#read(2 * CONTEXTS, activity(a2, b2, c2, d2) + u))) & 255;
      if (this.#bit > this.#end) {
        throw new CodecError("short", "codes of a photo end early");
      }
      pixels[from + i] = BLACK | ((a1 + a0 - 128) & 255) | (a0 << 8) | (((a2 + a0 - 128) & 255) << 16);
      c0 = b0;
      c1 = b1;
      c2 = b2;
      b0 = d0;
      b1 = d1;
      b2 = d2;
    }
  }

  /** Reads the code of a plane whose contexts start at base. */
  #read(base: number, t: number): number {
    const sum = this.#sum;
    const count = this.#count;
    const at = base + context(t);
    const s = sum[at]!;
    const n = count[at]!;
    let k = 0;
    while (n << k < s) {
      k++;
    }
    const word = this.#view.getInt32(this.#bit >> 3) << (this.#bit & 7);
    const ones = Math.clz32(~word);
    let u: number;
    if (ones < ESCAPE) {
      u = (ones << k) | (((word << (ones + 1)) >>> 1) >>> (31 - k));
      this.#bit += ones + 1 + k;
      if (u > 255) {
        throw new CodecError("range", "code of a photo is out of range");
      }
    } else {
      u = (word >>> 8) & 255;
      this.#bit += ESCAPE + 8;
    }
    if (n + 1 === HALVE) {
      sum[at] = (s + u) >> 1;
      count[at] = HALVE >> 1;
    } else {
      sum[at] = s + u;
      count[at] = n + 1;
    }
    return u;
  }
}

function context(t: number): number {
  if (t < 2) {
    return t;
  }
  const length = 32 - Math.clz32(t);
  return 2 * length - 2 + ((t >> (length - 2)) & 1);
}

function activity(a: number, b: number, c: number, d: number): number {
  return Math.abs(b - c) + Math.abs(c - a) + Math.abs(d - b);
}

function predict(a: number, b: number, c: number): number {
  const low = a < b ? a : b;
  const high = a < b ? b : a;
  const p = a + b - c;
  return p < low ? low : p > high ? high : p;
}

function residual(u: number): number {
  return (u >>> 1) ^ -(u & 1);
}
