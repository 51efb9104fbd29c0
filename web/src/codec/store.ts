import type { Commands } from "./commands.ts";
import { CodecError } from "./error.ts";
import { BLACK } from "./pixel.ts";

/** Side of a tile, in pixels. */
const TILE = 64;
const SLOTS = 2048;

/** Where a picture's tile lies. */
interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Tiles kept aside, and the two kinds of commands about them. A slot takes memory when it is first saved. */
export class Store {
  readonly #slots: (Int32Array | undefined)[] = Array.from({ length: SLOTS });
  readonly #pixels: Int32Array;
  readonly #width: number;
  readonly #height: number;
  readonly #across: number;
  readonly #tiles: number;
  readonly #tile: Box = { x: 0, y: 0, w: 0, h: 0 };
  #slot = 0;
  #index = 0;

  constructor(pixels: Int32Array, width: number, height: number) {
    this.#pixels = pixels;
    this.#width = width;
    this.#height = height;
    this.#across = Math.ceil(width / TILE);
    this.#tiles = this.#across * Math.ceil(height / TILE);
  }

  /** Begins a section of commands. */
  begin(): void {
    this.#slot = -1;
    this.#index = -1;
  }

  /** Reads a save and obeys it. */
  save(in_: Commands): void {
    this.#place(in_);
    const { x, y, w, h } = this.#tile;
    const slot = (this.#slots[this.#slot] ??= new Int32Array(TILE * TILE).fill(BLACK));
    for (let row = 0; row < h; row++) {
      const from = (y + row) * this.#width + x;
      for (let i = 0; i < w; i++) {
        slot[row * TILE + i] = this.#pixels[from + i]!;
      }
    }
  }

  /** Reads a load and obeys it; returns the box that it wrote, valid until the next call. */
  load(in_: Commands): Readonly<Box> {
    this.#place(in_);
    const slot = this.#slots[this.#slot];
    if (slot === undefined) {
      throw new CodecError("range", "a slot was never saved");
    }
    const tile = this.#tile;
    const left = tile.x;
    const top = tile.y;
    const h = in_.byte();
    if (h !== 0) {
      const x = in_.byte();
      const y = in_.byte();
      const w = in_.byte();
      if (w === 0 || x + w > tile.w || y + h > tile.h) {
        throw new CodecError("range", "a box outside of its tile");
      }
      tile.x += x;
      tile.y += y;
      tile.w = w;
      tile.h = h;
    }
    for (let row = tile.y; row < tile.y + tile.h; row++) {
      const to = row * this.#width + tile.x;
      const from = (row - top) * TILE + tile.x - left;
      for (let i = 0; i < tile.w; i++) {
        this.#pixels[to + i] = slot[from + i]!;
      }
    }
    return tile;
  }

  #place(in_: Commands): void {
    this.#slot += 1 + in_.s();
    this.#index += 1 + in_.s();
    const slot = this.#slot;
    const index = this.#index;
    const tile = this.#tile;
    if (slot < 0 || slot >= SLOTS || index < 0 || index >= this.#tiles) {
      throw new CodecError("range", "slot or tile out of range");
    }
    tile.x = (index % this.#across) * TILE;
    tile.y = Math.floor(index / this.#across) * TILE;
    tile.w = Math.min(TILE, this.#width - tile.x);
    tile.h = Math.min(TILE, this.#height - tile.y);
  }
}
