import { HELD_EVERY, MAX_HELD } from "../wire/limits.ts";
import type { Pointer, Wheel } from "../wire/pointer.ts";
import type { InputMessage, Sink, Timers } from "./sink.ts";

/**
 * What the desk believes to be held, and the one place from which input is sent. Keeps three promises:
 *
 * - While anything is held, all that is held is sent again every HELD_EVERY ms; an agent that misses this releases it.
 * - Pointer moves are thinned out to the newest of each frame, but never change places with anything else.
 * - After releaseAll nothing is held.
 */
export class Hands {
  readonly #sink: Sink;
  readonly #timers: Timers;
  readonly #codes = new Set<number>();
  #buttons = 0;
  /** Something was pressed since everything was released last. */
  #touched = false;
  #move: Pointer | null = null;
  #stopFrame: (() => void) | null = null;
  #stopRefresh: (() => void) | null = null;

  constructor(sink: Sink, timers: Timers) {
    this.#sink = sink;
    this.#timers = timers;
  }

  /** Whether nothing is held. */
  get empty(): boolean {
    return this.#codes.size === 0 && this.#buttons === 0;
  }

  /** The keys that are held. */
  get codes(): ReadonlySet<number> {
    return this.#codes;
  }

  /** The buttons that are held, as BUTTON_ bits. */
  get buttons(): number {
    return this.#buttons;
  }

  press(code: number): void {
    if (this.#codes.has(code) || this.#codes.size >= MAX_HELD) {
      return;
    }
    this.#touched = true;
    this.#codes.add(code);
    this.send({ kind: "key", code, down: true });
    this.#keepRefreshing();
  }

  release(code: number): void {
    if (this.#codes.delete(code)) {
      this.send({ kind: "key", code, down: false });
      this.#keepRefreshing();
    }
  }

  /** A change of buttons goes out at once, a mere move with the next frame. */
  point(p: Pointer): void {
    if (p.buttons !== this.#buttons) {
      this.#touched = true;
      this.#buttons = p.buttons;
      this.send(p);
      this.#keepRefreshing();
      return;
    }
    this.#move = p;
    this.#stopFrame ??= this.#timers.frame(() => {
      this.#stopFrame = null;
      this.#flushMove();
    });
  }

  wheel(m: Wheel): void {
    this.send(m);
  }

  /**
   * Forgets all that is held. Says so if anything was pressed since the last time, also if it went up again: of the
   * many events that come when the focus is lost, the first one speaks.
   */
  releaseAll(): void {
    this.#flushMove();
    this.#codes.clear();
    this.#buttons = 0;
    this.#keepRefreshing();
    if (this.#touched) {
      this.#touched = false;
      this.send({ kind: "release_all" });
    }
  }

  /** Sends m after the move that came before it. */
  send(m: InputMessage): void {
    this.#flushMove();
    this.#sink.send(m);
  }

  /** Sends the move that waits. To be called before anything that is sent by another way. */
  flush(): void {
    this.#flushMove();
  }

  #flushMove(): void {
    this.#stopFrame?.();
    this.#stopFrame = null;
    const m = this.#move;
    this.#move = null;
    if (m !== null) {
      this.#sink.send(m);
    }
  }

  #keepRefreshing(): void {
    if (this.empty) {
      this.#stopRefresh?.();
      this.#stopRefresh = null;
      return;
    }
    this.#stopRefresh ??= this.#timers.every(HELD_EVERY, () => {
      this.send({ kind: "held", buttons: this.#buttons, codes: [...this.#codes].sort((a, b) => a - b) });
    });
  }
}
