// How large the picture is on the page. Pure.

/** `fit` fills the window, `actual` shows one desk pixel as one pixel of the device. */
export type Scale = "fit" | "actual";

/** Where the canvas stands in the stage, in CSS pixels. */
export interface Placement {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Every desk pixel is exactly one device pixel: nothing may be smoothed. */
  readonly exact: boolean;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Less than this much of a pixel over the whole picture is no scaling. */
const HAIR = 1e-3;

/**
 * Places a picture (in desk pixels) in a stage (in CSS pixels) on a device with so many device pixels to the CSS pixel.
 * The left and top edges fall on whole device pixels, else an exact picture would be blurred all the same.
 */
export function place(picture: Size, stage: Size, ratio: number, scale: Scale): Placement {
  const actual = 1 / ratio;
  const fit = Math.min(stage.width / picture.width, stage.height / picture.height);
  const exact = scale === "actual" || Math.abs(fit - actual) * picture.width < HAIR;
  const factor = exact ? actual : fit;
  const width = picture.width * factor;
  const height = picture.height * factor;
  const snap = (free: number): number => Math.max(0, Math.floor((free / 2) * ratio + HAIR) / ratio);
  return { left: snap(stage.width - width), top: snap(stage.height - height), width, height, exact };
}

/** The height of the notice at the top of a desk (internal/notice), in its pixels. */
const NOTICE = 28;
/** The toolbar with the room above and below it, in CSS pixels. */
const BAR = 68;
const GAP = 8;

/**
 * Where the toolbar begins, in CSS pixels from the top of the stage: above the picture if there is room, else below the
 * notice that the desk shows at the top of its screen, which must be seen and pressed while the toolbar is open.
 */
export function belowNotice(p: Placement, picture: Size): number {
  return p.top >= BAR ? GAP : p.top + (NOTICE * p.width) / picture.width + GAP;
}

/** How far the view is zoomed by fingers: 1 is the placement of the scale itself. The offset is in CSS pixels. */
export interface Zoom {
  readonly factor: number;
  readonly left: number;
  readonly top: number;
}

export const unzoomed: Zoom = { factor: 1, left: 0, top: 0 };

/** A desk's text is readable on any phone below this. */
const MOST = 8;

/**
 * A placement as a zoom shows it. What is larger than the stage leaves no gap at its edges, what is smaller stands in
 * the middle.
 */
export function zoomed(p: Placement, stage: Size, z: Zoom): Placement {
  if (z.factor === 1) {
    return p;
  }
  const width = p.width * z.factor;
  const height = p.height * z.factor;
  return {
    left: held(z.left, width, stage.width),
    top: held(z.top, height, stage.height),
    width,
    height,
    exact: false,
  };
}

/**
 * The zoom after two fingers have moved: the point of the picture that was between them goes with them. x and y are in
 * the stage.
 */
export function pinched(
  p: Placement,
  stage: Size,
  z: Zoom,
  by: { x: number; y: number; factor: number; dx: number; dy: number },
): Zoom {
  const now = zoomed(p, stage, z);
  const factor = Math.min(Math.max(z.factor * by.factor, 1), MOST);
  if (factor === 1) {
    return unzoomed;
  }
  const grows = factor / z.factor;
  const left = by.x - (by.x - by.dx - now.left) * grows;
  const top = by.y - (by.y - by.dy - now.top) * grows;
  return { factor, left: held(left, p.width * factor, stage.width), top: held(top, p.height * factor, stage.height) };
}

function held(at: number, size: number, room: number): number {
  return size <= room ? (room - size) / 2 : Math.min(Math.max(at, room - size), 0);
}
