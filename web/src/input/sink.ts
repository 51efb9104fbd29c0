import type { Held, Key, KeyTap, ReleaseAll } from "../wire/key.ts";
import type { Locks } from "../wire/locks.ts";
import type { Pointer, Wheel } from "../wire/pointer.ts";

/** What the hands of the user become. */
export type InputMessage = Key | KeyTap | Held | Locks | Pointer | Wheel | ReleaseAll;

/** Takes what the input makes. Called synchronously, in the order in which the desk must get it. */
export interface Sink {
  /** Sends a message to the agent, or drops it if there is no session. Must not throw. */
  send(m: InputMessage): void;
  /** Sends what was written without physical keys, or says why that cannot be. Must not throw. */
  write(text: string): void;
  /** A key came that tells neither which it is nor what it writes. */
  unknownKey(): void;
  /** Two fingers zoom the view: by the factor around a point of the viewport, and along. */
  zoom(pinch: Pinch): void;
  /** The release chord was pressed: moves the focus to the toolbar. */
  toToolbar(): void;
}

/** How two fingers change the view. Points and distances in CSS pixels of the viewport. */
export interface Pinch {
  readonly x: number;
  readonly y: number;
  readonly factor: number;
  readonly dx: number;
  readonly dy: number;
}

/** Time, passed in. Each function returns one that calls the thing off. */
export interface Timers {
  /** Calls f once after so many milliseconds. */
  after(ms: number, f: () => void): () => void;
  /** Calls f every so many milliseconds. */
  every(ms: number, f: () => void): () => void;
  /** Calls f before the next frame is drawn. */
  frame(f: () => void): () => void;
}

/** The browser's own timers. */
export function browserTimers(w: Window): Timers {
  return {
    after: (ms, f) => {
      const id = w.setTimeout(f, ms);
      return () => w.clearTimeout(id);
    },
    every: (ms, f) => {
      const id = w.setInterval(f, ms);
      return () => w.clearInterval(id);
    },
    frame: (f) => {
      const id = w.requestAnimationFrame(f);
      return () => w.cancelAnimationFrame(id);
    },
  };
}
