import {
  BUTTON_BACK,
  BUTTON_FORWARD,
  BUTTON_LEFT,
  BUTTON_MIDDLE,
  BUTTON_RIGHT,
  type Pointer,
} from "../wire/pointer.ts";
import { type Area, toDesk } from "./area.ts";
import type { Hands } from "./hands.ts";
import { type WheelLike, Wheels } from "./wheel.ts";

/** What is read of a PointerEvent. */
export type PointerLike = Pick<PointerEvent, "clientX" | "clientY" | "buttons" | "isPrimary">;

/** What a Pointing must know of its surroundings. */
export interface PointingConfig {
  readonly hands: Hands;
  /** Where the desk is shown now; null while there is no picture. Nothing new is pressed then. */
  readonly area: () => Area | null;
}

/**
 * Turns pointer events into positions and buttons of the desk. Which buttons are down is read from `buttons` of every
 * event, not from down and up: a second button comes as a move, and an up may be lost.
 */
export class Pointing {
  readonly #c: PointingConfig;
  readonly #wheels = new Wheels();
  /** The position that was told last. */
  #last: Pointer | null = null;
  /** Buttons that are down on the device, as BUTTON_ bits. */
  #device = 0;
  /** Buttons that were down when everything was released: they count again only after they went up. */
  #stale = 0;

  constructor(config: PointingConfig) {
    this.#c = config;
  }

  /** Any pointer event. `buttons` stands for those of the event if it is given. */
  event(e: PointerLike, buttons = e.buttons): void {
    if (!e.isPrimary) {
      return;
    }
    this.#device = toWire(buttons);
    this.#stale &= this.#device;
    const at = this.#position(e);
    if (at !== null) {
      this.#last = { ...at, buttons: this.#device & ~this.#stale };
      this.#c.hands.point(this.#last);
    }
  }

  /**
   * A click of a finger, or one step of its drag: the pointer goes there, and the buttons (as the DOM's bits) change.
   */
  finger(clientX: number, clientY: number, buttons: number): void {
    this.event({ clientX, clientY, buttons, isPrimary: true });
  }

  /** Whether the event will change which buttons are held. */
  changes(e: PointerLike): boolean {
    return e.isPrimary && (toWire(e.buttons) & ~this.#stale) !== this.#c.hands.buttons;
  }

  /** Where the event is on the desk. While there is no picture a held button can still go up, where it was last. */
  #position(e: PointerLike): Pointer | null {
    const a = this.#c.area();
    if (a !== null) {
      return { kind: "pointer", generation: a.generation, ...toDesk(a, e.clientX, e.clientY), buttons: 0 };
    }
    return this.#c.hands.buttons === 0 ? null : this.#last;
  }

  wheel(e: WheelLike & Pick<WheelEvent, "clientX" | "clientY">): void {
    const a = this.#c.area();
    const turn = this.#wheels.turn(e);
    if (a !== null && turn !== null) {
      this.#c.hands.wheel({ kind: "wheel", generation: a.generation, ...toDesk(a, e.clientX, e.clientY), ...turn });
    }
  }

  /** Fingers move by dx, dy CSS pixels: what the desk shows goes with them, also while the picture is small. */
  scroll(clientX: number, clientY: number, dx: number, dy: number): void {
    const a = this.#c.area();
    const scale = a === null ? 1 : a.width / a.box.width;
    this.wheel({ clientX, clientY, deltaX: -dx * scale, deltaY: -dy * scale, deltaMode: 0, shiftKey: false });
  }

  /** Everything was released. */
  blur(): void {
    this.#stale = this.#device;
    this.#wheels.reset();
  }
}

/** The DOM's bits of buttons (1 left, 2 right, 4 middle, 8 back, 16 forward) in the order of the wire. */
function toWire(b: number): number {
  return (
    ((b & 1) === 0 ? 0 : BUTTON_LEFT) |
    ((b & 4) === 0 ? 0 : BUTTON_MIDDLE) |
    ((b & 2) === 0 ? 0 : BUTTON_RIGHT) |
    ((b & 8) === 0 ? 0 : BUTTON_BACK) |
    ((b & 16) === 0 ? 0 : BUTTON_FORWARD)
  );
}
