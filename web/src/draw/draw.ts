// Draws a desk's picture to a 2D canvas: one desk pixel is one pixel of the canvas. How large that is on the page is
// the page's business (viewer/scale.ts).

/** A part of the layout, in layout pixels. */
export interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A picture as the decoder has it: R, G, B, 255 for each pixel, row after row. */
export interface Source {
  readonly width: number;
  readonly height: number;
  readonly pixels: Int32Array<ArrayBuffer>;
}

/** What is used of a canvas, on the page or in a worker. */
export interface Surface {
  width: number;
  height: number;
  getContext(type: "2d", options: CanvasRenderingContext2DSettings): Context | null;
}

type Context = Pick<OffscreenCanvasRenderingContext2D, "putImageData" | "getImageData">;

/**
 * The canvas of a session. What one call draws appears at once: a browser shows a canvas only between two tasks, and an
 * update is drawn within one.
 */
export class Screen {
  readonly #surface: Surface;
  readonly #context: Context;
  #image: ImageData | undefined;
  #part: Part = { x: 0, y: 0, width: 1, height: 1 };

  constructor(surface: Surface) {
    this.#surface = surface;
    const context = surface.getContext("2d", { alpha: false, desynchronized: true });
    if (context === null) {
      throw new Error("the browser gives no 2D canvas");
    }
    this.#context = context;
  }

  /** Shows a part of a picture, from now on and all of it at once. The picture's memory is shared. */
  show(source: Source, part: Part): void {
    const bytes = new Uint8ClampedArray(source.pixels.buffer, source.pixels.byteOffset, 4 * source.pixels.length);
    this.#image = new ImageData(bytes, source.width, source.height);
    this.#part = part;
    // Setting a side clears the canvas, even to the same value.
    if (this.#surface.width !== part.width) {
      this.#surface.width = part.width;
    }
    if (this.#surface.height !== part.height) {
      this.#surface.height = part.height;
    }
    this.#put(part.x, part.y, part.width, part.height);
  }

  /** Draws what changed: x, y, w and h of rectangles in turn, in layout pixels. */
  draw(rects: Int32Array): void {
    for (let i = 0; i + 3 < rects.length; i += 4) {
      this.#put(rects[i]!, rects[i + 1]!, rects[i + 2]!, rects[i + 3]!);
    }
  }

  #put(x: number, y: number, w: number, h: number): void {
    const part = this.#part;
    const left = Math.max(x, part.x);
    const top = Math.max(y, part.y);
    const width = Math.min(x + w, part.x + part.width) - left;
    const height = Math.min(y + h, part.y + part.height) - top;
    if (this.#image === undefined || width <= 0 || height <= 0) {
      return;
    }
    this.#context.putImageData(this.#image, -part.x, -part.y, left, top, width, height);
  }

  /** What the canvas shows, read back. */
  read(): ImageData {
    return this.#context.getImageData(0, 0, this.#surface.width, this.#surface.height);
  }
}
