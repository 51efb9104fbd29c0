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
 * Places a picture (in desk pixels) in a stage (in CSS pixels) on a device with so many device pixels to the CSS pixel. The
 * left and top edges fall on whole device pixels, else an exact picture would be blurred all the same.
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
 * Where the toolbar begins, in CSS pixels from the top of the stage: above the picture if there is room, else below the notice
 * that the desk shows at the top of its screen, which must be seen and pressed while the toolbar is open.
 */
export function belowNotice(p: Placement, picture: Size): number {
  return p.top >= BAR ? GAP : p.top + (NOTICE * p.width) / picture.width + GAP;
}
