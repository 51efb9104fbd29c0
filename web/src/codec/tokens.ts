import type { Commands } from "./commands.ts";
import { CodecError } from "./error.ts";
import { BLACK } from "./pixel.ts";

const MAX_MORE = 1 << 28;
const SHORT = 16; // a copy of fewer pixels is faster in a loop

const UP = 0;
const LEFT = 1;
const SKIP = 2;

/** Reads tokens into a picture. Its palette lives as long as the session. Pixels are as in pixel.ts. */
export class Tokens {
  readonly #first = new Int32Array(64).fill(BLACK);
  readonly #second = new Int32Array(1024).fill(BLACK);

  /** Fills the rectangle (x, y, w, h) of a picture that is `stride` pixels wide. The rectangle must be inside of it. */
  fill(pixels: Int32Array, stride: number, x: number, y: number, w: number, h: number, in_: Commands): void {
    let kind = UP;
    let run = 0;
    for (let row = y; row < y + h; row++) {
      let at = row * stride + x;
      const end = at + w;
      let left = x > 0 ? pixels[at - 1]! : BLACK;
      while (at < end) {
        if (run === 0) {
          const token = in_.byte();
          if (token < 0xc0 || token >= 0xf8) {
            left = this.#pixel(token, left, in_);
            pixels[at++] = left;
            continue;
          }
          kind = token < 0xe0 ? UP : token < 0xf0 ? LEFT : SKIP;
          const most = kind === UP ? 31 : kind === LEFT ? 15 : 7;
          run = (token & most) + 1;
          if (run > most) {
            run += in_.u(MAX_MORE);
          }
        }
        const n = run < end - at ? run : end - at;
        if (kind === UP) {
          copyUp(pixels, stride, row, at, n);
        } else if (kind === LEFT) {
          repeat(pixels, at, n, left);
        }
        run -= n;
        at += n;
        left = pixels[at - 1]!;
      }
    }
    if (run > 0) {
      throw new CodecError("range", "a run is longer than its rectangle");
    }
  }

  /** The pixel that a token other than a run gives. */
  #pixel(token: number, left: number, in_: Commands): number {
    if (token < 0x40) {
      return this.#first[token]!;
    }
    if (token < 0x80) {
      const c = add(left, (token >> 4) - 6, ((token >> 2) & 3) - 2, (token & 3) - 2);
      this.#first[hash(c) >>> 26] = c;
      return c;
    }
    if (token < 0xc0) {
      const more = in_.byte();
      const g = (token & 63) - 32;
      return this.#remember(add(left, g + (more >> 4) - 8, g, g + (more & 15) - 8));
    }
    if (token < 0xfc) {
      const c = this.#second[((token & 3) << 8) | in_.byte()]!;
      this.#first[hash(c) >>> 26] = c;
      return c;
    }
    if (token !== 0xff) {
      throw new CodecError("range", `token ${token}`);
    }
    const b = in_.byte();
    const g = in_.byte();
    return this.#remember(BLACK | (b << 16) | (g << 8) | in_.byte());
  }

  #remember(c: number): number {
    const h = hash(c);
    this.#first[h >>> 26] = c;
    this.#second[h >>> 22] = c;
    return c;
  }
}

function copyUp(pixels: Int32Array, stride: number, row: number, at: number, n: number): void {
  if (row === 0) {
    pixels.fill(BLACK, at, at + n);
  } else if (n >= SHORT) {
    pixels.copyWithin(at, at - stride, at - stride + n);
  } else {
    for (let i = at; i < at + n; i++) {
      pixels[i] = pixels[i - stride]!;
    }
  }
}

function repeat(pixels: Int32Array, at: number, n: number, c: number): void {
  if (n >= SHORT) {
    pixels.fill(c, at, at + n);
  } else {
    for (let i = at; i < at + n; i++) {
      pixels[i] = c;
    }
  }
}

/** Adds to each channel, modulo 256. */
function add(c: number, r: number, g: number, b: number): number {
  return BLACK | ((c + r) & 255) | ((((c >> 8) + g) & 255) << 8) | ((((c >> 16) + b) & 255) << 16);
}

/** The hash of a colour, of 0x00RRGGBB as the specification has it. */
function hash(c: number): number {
  return Math.imul(((c & 255) << 16) | (c & 0xff00) | ((c >> 16) & 255), 0x9e3779b1);
}
