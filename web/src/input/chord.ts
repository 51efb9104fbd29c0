import { CODES } from "../keys/codes.ts";

/** Bits of the modifiers that make the release chord. */
const KIND: ReadonlyMap<number, number> = new Map([
  [CODES.ControlLeft, 1],
  [CODES.ControlRight, 1],
  [CODES.AltLeft, 2],
  [CODES.AltRight, 2],
  [CODES.ShiftLeft, 4],
  [CODES.ShiftRight, 4],
]);
const ALL = 7;

/**
 * The release chord: Control, Alt and Shift pressed together and let go, with nothing else in between. It moves the
 * focus from the desk to the toolbar, so that who uses no pointer is never caught in the desk (WCAG 2.2, 2.1.2).
 *
 * Nothing of the chord may reach the desk: a lone Alt opens menus there, Alt+Shift or Control+Shift changes the input
 * language. So these modifiers are kept back as long as they may become the chord: until another key, a button or the
 * wheel shows that they are something else, or one of them goes up, or the one that is down alone stays down for
 * longer than PATIENCE ms. Then they are sent in their order, and what they modify right behind them: nothing is slower
 * for it, and Control+Alt+Shift+S is still the desk's.
 */
export class Chord {
  /** Chord modifiers that are down and were not sent, in the order in which they went down. */
  readonly #kept: number[] = [];
  /** Chord modifiers that are down, sent or not. */
  readonly #down = new Set<number>();
  /** Nothing else has happened since the first of them went down. */
  #clean = true;

  /** How long a modifier that is down alone is kept back, in ms: hover effects and the like wait for it. */
  static readonly PATIENCE = 300;

  /** Whether the key can be part of the chord. */
  static has(code: number): boolean {
    return KIND.has(code);
  }

  /** How many modifiers are kept back. */
  get kept(): number {
    return this.#kept.length;
  }

  /** Whether the modifier is kept back. */
  keeps(code: number): boolean {
    return this.#kept.includes(code);
  }

  /**
   * A modifier of the chord goes down. `alone` says that nothing else is held. Returns false if it must be sent now.
   */
  down(code: number, alone: boolean): boolean {
    if (this.#down.size === 0) {
      this.#clean = alone;
    }
    this.#down.add(code);
    if (!this.#clean || !alone) {
      return false;
    }
    this.#kept.push(code);
    return true;
  }

  /** A modifier of the chord goes up. Returns true if that completes the chord; then nothing is kept any more. */
  up(code: number): boolean {
    let kinds = 0;
    for (const c of this.#down) {
      kinds |= KIND.get(c) ?? 0;
    }
    this.#down.delete(code);
    if (!this.#clean || kinds !== ALL) {
      return false;
    }
    this.clear();
    return true;
  }

  /** A modifier turns out to be up although its key-up never came. If it was kept back it is never sent. */
  lost(code: number): void {
    this.#down.delete(code);
    const i = this.#kept.indexOf(code);
    if (i >= 0) {
      this.#kept.splice(i, 1);
    }
  }

  /** Something else happens: it is not the chord. Returns what was kept back, to be sent now. */
  spoil(): number[] {
    this.#clean = this.#down.size === 0;
    return this.takeKept();
  }

  /** Returns what was kept back, to be sent now; the chord can still be completed. */
  takeKept(): number[] {
    return this.#kept.splice(0);
  }

  /** Forgets everything. */
  clear(): void {
    this.#kept.length = 0;
    this.#down.clear();
    this.#clean = true;
  }
}
