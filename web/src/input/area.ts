/** Where a part of the desk is shown: a rectangle of layout pixels in a rectangle of CSS pixels. */
export interface Area {
  /** Generation of the layout that is shown. */
  readonly generation: number;
  /** The part of the layout that is shown, in layout pixels: a monitor, or all. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Where it is on the page, in CSS pixels of the viewport (getBoundingClientRect of the canvas). */
  readonly box: { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
}

/** Makes up for rounding in scales such as 1.25, where a pixel's edge may come out a hair before itself. */
const HAIR = 1e-6;

/**
 * The layout pixel under a point of the viewport. Outside of the area it is the nearest one inside. The scale is
 * whatever box and part make it, so it holds for fit, 1:1 and every device pixel ratio.
 */
export function toDesk(a: Area, clientX: number, clientY: number): { x: number; y: number } {
  return {
    x: a.x + along(clientX - a.box.left, a.box.width, a.width),
    y: a.y + along(clientY - a.box.top, a.box.height, a.height),
  };
}

function along(offset: number, css: number, desk: number): number {
  const v = css > 0 ? Math.floor((offset * desk) / css + HAIR) : 0;
  return Math.min(Math.max(v, 0), desk - 1);
}
