import fc from "fast-check";
import { beforeAll, expect, test, vi } from "vitest";
import { Screen, type Source, type Surface } from "./draw.ts";

/** A canvas that does what the HTML standard says of putImageData, on an array of pixels. */
class Canvas implements Surface {
  readonly options: unknown[] = [];
  pixels = new Int32Array(0);
  #width = 0;
  #height = 0;

  get width(): number {
    return this.#width;
  }
  set width(v: number) {
    this.#width = v;
    this.pixels = new Int32Array(this.#width * this.#height);
  }
  get height(): number {
    return this.#height;
  }
  set height(v: number) {
    this.#height = v;
    this.pixels = new Int32Array(this.#width * this.#height);
  }

  getContext(_: "2d", options: CanvasRenderingContext2DSettings): ReturnType<Surface["getContext"]> {
    this.options.push(options);
    return {
      putImageData: (image: ImageData, dx: number, dy: number, ...dirty: number[]) => {
        const [x, y, w, h] = dirty as [number, number, number, number];
        const from = new Int32Array(image.data.buffer);
        for (let row = y; row < y + h; row++) {
          for (let col = x; col < x + w; col++) {
            this.#set(col + dx, row + dy, from[row * image.width + col]!);
          }
        }
      },
      getImageData: () => {
        throw new Error("not here");
      },
    };
  }

  #set(x: number, y: number, p: number): void {
    if (x >= 0 && y >= 0 && x < this.#width && y < this.#height) {
      this.pixels[y * this.#width + x] = p;
    }
  }
}

beforeAll(() => {
  vi.stubGlobal(
    "ImageData",
    class {
      readonly data: Uint8ClampedArray;
      readonly width: number;
      readonly height: number;
      constructor(data: Uint8ClampedArray, width: number, height: number) {
        this.data = data;
        this.width = width;
        this.height = height;
      }
    },
  );
});

function picture(width: number, height: number): Source {
  return { width, height, pixels: Int32Array.from({ length: width * height }, (_, i) => i + 1) };
}

function crop(s: Source, x: number, y: number, w: number, h: number): number[] {
  const out: number[] = [];
  for (let row = y; row < y + h; row++) {
    out.push(...s.pixels.subarray(row * s.width + x, row * s.width + x + w));
  }
  return out;
}

test("asks for an opaque canvas without delay and shows the whole part at once", () => {
  const canvas = new Canvas();
  const screen = new Screen(canvas);
  const s = picture(7, 5);
  screen.show(s, { x: 2, y: 1, width: 4, height: 3 });
  expect(canvas.options).toEqual([{ alpha: false, desynchronized: true }]);
  expect([canvas.width, canvas.height]).toEqual([4, 3]);
  expect([...canvas.pixels]).toEqual(crop(s, 2, 1, 4, 3));
});

test("after any changes the canvas equals the part of the picture", () => {
  const side = fc.integer({ min: 1, max: 20 });
  const rect = fc.tuple(fc.nat(19), fc.nat(19), side, side);
  fc.assert(
    fc.property(side, side, rect, fc.array(rect, { maxLength: 6 }), (width, height, [px, py, pw, ph], changes) => {
      const s = picture(width, height);
      const x = px % width;
      const y = py % height;
      const part = { x, y, width: Math.min(pw, width - x), height: Math.min(ph, height - y) };
      const canvas = new Canvas();
      const screen = new Screen(canvas);
      screen.show(s, part);
      const rects: number[] = [];
      changes.forEach(([cx, cy, cw, ch], n) => {
        const left = cx % width;
        const top = cy % height;
        const w = Math.min(cw, width - left);
        const h = Math.min(ch, height - top);
        for (let row = top; row < top + h; row++) {
          s.pixels.fill(1000 + n, row * width + left, row * width + left + w);
        }
        rects.push(left, top, w, h);
      });
      screen.draw(Int32Array.from(rects));
      expect([...canvas.pixels]).toEqual(crop(s, part.x, part.y, part.width, part.height));
    }),
  );
});

test("a canvas of the same size is not cleared for another part", () => {
  const canvas = new Canvas();
  const screen = new Screen(canvas);
  const s = picture(8, 4);
  screen.show(s, { x: 0, y: 0, width: 4, height: 4 });
  const { pixels } = canvas;
  screen.show(s, { x: 4, y: 0, width: 4, height: 4 });
  expect(canvas.pixels).toBe(pixels);
  expect([...canvas.pixels]).toEqual(crop(s, 4, 0, 4, 4));
});
