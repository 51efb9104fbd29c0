/** A finger: which, and where on the viewport in CSS pixels. */
export interface Finger {
  readonly id: number;
  readonly x: number;
  readonly y: number;
}

/** What fingers mean. Places are points of the viewport in CSS pixels. */
export type Gesture =
  /** a tap, a long press or a tap of two fingers */
  | { readonly kind: "click"; readonly button: "left" | "right"; readonly x: number; readonly y: number }
  /** one finger moves: the left button goes down where it began, moves, goes up */
  | { readonly kind: "press" | "drag" | "release"; readonly x: number; readonly y: number }
  /** two fingers move together, by so many CSS pixels */
  | { readonly kind: "scroll"; readonly x: number; readonly y: number; readonly dx: number; readonly dy: number }
  /** two fingers move apart or together: the picture grows by the factor around the place and goes with it by dx, dy */
  | {
      readonly kind: "pinch";
      readonly x: number;
      readonly y: number;
      readonly factor: number;
      readonly dx: number;
      readonly dy: number;
    };

/** So long a finger must rest for a long press, in milliseconds: what Android and iOS take. */
export const LONG_PRESS = 500;

/** A finger that moves less has not moved, in CSS pixels: it trembles and rolls. */
const SLOP = 10;
/** A finger that moves more takes part in what two do. */
const STIR = 4;

type Mode =
  | "none"
  /** one finger is down and has not moved */
  | "one"
  /** one finger has moved: the left button is down */
  | "drag"
  /** two fingers are down and have not moved */
  | "two"
  | "scroll"
  | "pinch"
  /** nothing more until all fingers are up */
  | "spent";

interface Place {
  readonly x: number;
  readonly y: number;
}

/**
 * Turns fingers into gestures: pure, no timers of its own. Whoever feeds it calls rested() LONG_PRESS ms after the
 * first finger went down. After every press comes a release, whatever the fingers do.
 */
export class Touch {
  #mode: Mode = "none";
  readonly #down = new Map<number, { readonly from: Place; at: Place }>();
  /** Where the middle of two fingers was, and how far apart they were, at the last gesture. */
  #middle: Place = { x: 0, y: 0 };
  #apart = 0;
  /** Where the first of two fingers went down: a tap of two means the thing under it. */
  #first: Place = { x: 0, y: 0 };

  /** Whether it matters if the fingers go on resting. */
  get waits(): boolean {
    return this.#mode === "one" || this.#mode === "two";
  }

  down(f: Finger): Gesture[] {
    const at = { x: f.x, y: f.y };
    const drags = this.#mode === "drag";
    const ended = drags ? this.#release() : [];
    if (this.#down.size === 0) {
      this.#first = at;
    }
    this.#down.set(f.id, { from: at, at });
    this.#mode =
      drags || this.#mode === "spent"
        ? "spent"
        : this.#down.size === 1
          ? "one"
          : this.#down.size === 2
            ? "two"
            : "spent";
    if (this.#mode === "two") {
      this.#measure();
    }
    return ended;
  }

  move(f: Finger): Gesture[] {
    const finger = this.#down.get(f.id);
    if (finger === undefined) {
      return [];
    }
    finger.at = { x: f.x, y: f.y };
    switch (this.#mode) {
      case "one":
        return far(finger.from, finger.at) > SLOP ? this.#drag(finger.from, finger.at) : [];
      case "drag":
        return [{ kind: "drag", ...finger.at }];
      case "two":
        return this.#choose();
      case "scroll":
      case "pinch":
        return this.#follow();
      case "none":
      case "spent":
        return [];
    }
  }

  up(f: Finger): Gesture[] {
    if (!this.#down.has(f.id)) {
      return [];
    }
    const done =
      this.#mode === "one"
        ? this.#click("left")
        : this.#mode === "drag"
          ? this.#release()
          : this.#mode === "two"
            ? this.#click("right")
            : [];
    this.#down.delete(f.id);
    this.#mode = this.#down.size === 0 ? "none" : "spent";
    return done;
  }

  /** The finger has rested for LONG_PRESS ms. */
  rested(): Gesture[] {
    if (this.#mode === "two") {
      this.#mode = "scroll"; // two that rest are no tap
    }
    if (this.#mode !== "one") {
      return [];
    }
    const done = this.#click("right");
    this.#mode = "spent";
    return done;
  }

  /** The system took the fingers away, or the desk lost the focus. */
  cancel(): Gesture[] {
    const done = this.#mode === "drag" ? this.#release() : [];
    this.#down.clear();
    this.#mode = "none";
    return done;
  }

  #click(button: "left" | "right"): Gesture[] {
    return [{ kind: "click", button, ...this.#first }];
  }

  #drag(from: Place, at: Place): Gesture[] {
    this.#mode = "drag";
    return [
      { kind: "press", ...from },
      { kind: "drag", ...at },
    ];
  }

  #release(): Gesture[] {
    const [finger] = this.#down.values();
    return finger === undefined ? [] : [{ kind: "release", ...finger.at }];
  }

  /**
   * Two fingers begin to move: apart they pinch, together they scroll. Events tell of one finger at a time, so one that
   * has moved alone says nothing yet.
   */
  #choose(): Gesture[] {
    const moved = [...this.#down.values()].map((f) => far(f.from, f.at));
    if (Math.min(...moved) < STIR && Math.max(...moved) < 4 * SLOP) {
      return [];
    }
    const { middle, apart } = this.#now();
    const [change, shift] = [Math.abs(apart - this.#apart), far(middle, this.#middle)];
    if (Math.max(change, shift) <= SLOP) {
      return [];
    }
    this.#mode = change > shift ? "pinch" : "scroll";
    return this.#follow();
  }

  #follow(): Gesture[] {
    const { middle, apart } = this.#now();
    const [dx, dy, factor] = [middle.x - this.#middle.x, middle.y - this.#middle.y, apart / Math.max(this.#apart, 1)];
    this.#measure();
    return this.#mode === "pinch"
      ? [{ kind: "pinch", ...middle, factor, dx, dy }]
      : dx === 0 && dy === 0
        ? []
        : [{ kind: "scroll", ...middle, dx, dy }];
  }

  #measure(): void {
    const { middle, apart } = this.#now();
    this.#middle = middle;
    this.#apart = apart;
  }

  #now(): { middle: Place; apart: number } {
    const [a, b] = [...this.#down.values()].map((f) => f.at);
    if (a === undefined || b === undefined) {
      return { middle: this.#middle, apart: this.#apart };
    }
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, apart: Math.max(far(a, b), 1) };
  }
}

function far(a: Place, b: Place): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
