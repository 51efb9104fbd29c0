import { NOTCH } from "../wire/pointer.ts";

/** What is read of a WheelEvent. wheelDelta is Chromium's and Safari's: 120 a notch, up and left positive. */
export type WheelLike = Pick<WheelEvent, "deltaX" | "deltaY" | "deltaMode" | "shiftKey"> & {
  readonly wheelDeltaX?: number;
  readonly wheelDeltaY?: number;
};

/** What one notch is in each deltaMode: 100 pixels, 3 lines (what browsers make of a notch by default), one page. */
const PER_NOTCH = [100, 3, 1];

const MIN = -0x8000;
const MAX = 0x7fff;

/** Turns wheel events into whole 1/120 notches and keeps the fractions. */
export class Wheels {
  #restX = 0;
  #restY = 0;

  /** The turn of an event, right and down positive, or null if it is less than 1/120 notch so far. */
  turn(e: WheelLike): { dx: number; dy: number } | null {
    let [x, y] = notches(e);
    // Browsers turn Shift+wheel into a horizontal turn. The desk gets Shift too and does so itself.
    if (e.shiftKey && y === 0) {
      [x, y] = [y, x];
    }
    this.#restX += x;
    this.#restY += y;
    const dx = clamp(Math.trunc(this.#restX));
    const dy = clamp(Math.trunc(this.#restY));
    this.#restX = (this.#restX - dx) % 1;
    this.#restY = (this.#restY - dy) % 1;
    return dx === 0 && dy === 0 ? null : { dx, dy };
  }

  /** Forgets the fractions. */
  reset(): void {
    this.#restX = 0;
    this.#restY = 0;
  }
}

/**
 * The turn in 1/120 notches. wheelDelta says just that; deltas in pixels depend on the zoom and on how many lines the
 * system scrolls a notch, so they are second choice.
 */
function notches(e: WheelLike): [number, number] {
  const { wheelDeltaX: x, wheelDeltaY: y } = e;
  if (x !== undefined && y !== undefined && (x !== 0 || y !== 0)) {
    return [0 - x, 0 - y];
  }
  const unit = NOTCH / (PER_NOTCH[e.deltaMode] ?? 100);
  return [e.deltaX * unit, e.deltaY * unit];
}

function clamp(v: number): number {
  return Math.min(Math.max(v, MIN), MAX) + 0; // + 0 makes -0 plain
}
