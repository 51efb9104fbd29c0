// The desk's pointer as a CSS cursor.

import type { CursorShape } from "../engine/messages.ts";

/** Browsers ignore larger cursor images, in CSS pixels. */
const MAX_SIDE = 128;

/**
 * CSS for a shape. scale is how many CSS pixels a desk pixel takes, ratio how many device pixels a CSS pixel has. The
 * pointer is never shown smaller than it is on the desk, however small the picture.
 */
export function cursorCSS(shape: CursorShape, scale: number, ratio: number): string {
  if (shape.width === 0) {
    return "none";
  }
  const factor = Math.max(scale, 1 / ratio);
  const width = Math.max(1, Math.round(shape.width * factor * ratio));
  const height = Math.max(1, Math.round(shape.height * factor * ratio));
  if (Math.max(width, height) / ratio > MAX_SIDE) {
    return "default";
  }
  const url = draw(shape, width, height).toDataURL("image/png");
  const hot = (v: number): number => Math.round(v * factor);
  return `image-set(url("${url}") ${ratio}x) ${hot(shape.hotX)} ${hot(shape.hotY)}, default`;
}

function draw(shape: CursorShape, width: number, height: number): HTMLCanvasElement {
  const own = canvas(shape.width, shape.height);
  own.getContext("2d")?.putImageData(new ImageData(straight(shape.pix), shape.width, shape.height), 0, 0);
  if (width === shape.width && height === shape.height) {
    return own;
  }
  const scaled = canvas(width, height);
  const context = scaled.getContext("2d");
  if (context !== null) {
    context.imageSmoothingQuality = "high";
    context.drawImage(own, 0, 0, width, height);
  }
  return scaled;
}

function canvas(width: number, height: number): HTMLCanvasElement {
  const c = document.createElement("canvas");
  c.width = width;
  c.height = height;
  return c;
}

/** Colours that are not multiplied by alpha, as ImageData wants them. */
function straight(pix: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const out = new Uint8ClampedArray(pix.length);
  for (let i = 0; i + 3 < pix.length; i += 4) {
    const a = pix[i + 3]!;
    for (let c = 0; c < 3; c++) {
      out[i + c] = a === 0 ? 0 : Math.round((pix[i + c]! * 255) / a);
    }
    out[i + 3] = a;
  }
  return out;
}
