// Keyboard and pointer of the viewer page: from DOM events to wire messages. No framework.
//
// The local input method is kept out by what has the focus. A browser lets an input method work only while an editable
// element (input, textarea, contenteditable, EditContext) is focused; for anything else Chromium tells the system that
// there is no text input (text input type "none"), on Windows the input context is taken from the window, and keys
// arrive uncomposed. So the focus is on a plain element with tabindex=0 that wraps the canvas, never on a hidden text
// field: no composition can start, 変換 and 無変換 arrive as keys, and the desk's own input method composes. CSS
// ime-mode does nothing in Chromium, and inputmode="none" only keeps on-screen keyboards away from editable elements;
// neither is needed. What remains is that some systems still switch their own mode on 半角/全角 and report keyCode 229:
// harmless, see keyboard.ts.
import { type Area } from "./area.ts";
import { Hands } from "./hands.ts";
import { CODES } from "../keys/codes.ts";
import { Keyboard, type System } from "./keyboard.ts";
import { Pointing } from "./pointer.ts";
import type { Sink, Timers } from "./sink.ts";
import { SoftKeyboard } from "./softkeys.ts";
import { type Gesture, LONG_PRESS, Touch } from "./touch.ts";

/** What an Input needs. */
export interface InputConfig {
  /** Focusable (tabindex=0) and not editable; wraps the canvas. Has the focus while the keyboard is the desk's. */
  readonly element: HTMLElement;
  /**
   * An editable field that nobody sees, beside the element: has the focus instead while a keyboard on the screen
   * writes.
   */
  readonly field: HTMLTextAreaElement;
  readonly sink: Sink;
  readonly timers: Timers;
  /** Where the desk is shown now; null while there is no picture. */
  readonly area: () => Area | null;
  /** As in KeyboardConfig. */
  readonly systemKeys: () => boolean;
  /** As in KeyboardConfig. */
  readonly system: System;
}

/**
 * How long a combo is held, in milliseconds: as short as a hand can. Window managers take the keyboard when Alt+Tab
 * goes down and wait for Alt to go up; what went up before they had it, they never see.
 */
const HOLD = 60;

/** Buttons as the DOM counts them. */
const LEFT = 1;
const RIGHT = 2;

/** Listens to an element from start to stop. */
export class Input {
  readonly #c: InputConfig;
  readonly #hands: Hands;
  readonly #keyboard: Keyboard;
  readonly #pointing: Pointing;
  readonly #softKeyboard: SoftKeyboard;
  readonly #touch = new Touch();
  #stopResting: (() => void) | null = null;
  #listening: AbortController | null = null;
  #combo: (() => void) | null = null;

  constructor(config: InputConfig) {
    this.#c = config;
    this.#hands = new Hands(config.sink, config.timers);
    this.#keyboard = new Keyboard({ ...config, hands: this.#hands });
    this.#softKeyboard = new SoftKeyboard({
      field: config.field,
      keyboard: this.#keyboard,
      erase: (times) => this.#erase(times),
    });
    this.#pointing = new Pointing({ hands: this.#hands, area: config.area });
  }

  /** Begins to listen. Does nothing if it listens already. */
  start(): void {
    if (this.#listening !== null) {
      return;
    }
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#listenToKeys(signal);
    this.#listenToPointer(signal);
    this.#listenToPage(signal);
    if (this.#c.element.ownerDocument.activeElement === this.#c.element) {
      this.#keyboard.focus();
    }
  }

  /** Releases everything and listens no more. */
  stop(): void {
    if (this.#listening !== null) {
      this.#listening.abort();
      this.#listening = null;
      this.releaseAll();
    }
  }

  /**
   * Releases every key and button on the desk. What is still down on the device counts again after it went up. To be
   * called too when a session begins: its desk holds nothing.
   */
  releaseAll(): void {
    this.#endCombo();
    this.#fingers(this.#touch.cancel());
    this.#keyboard.blur();
    this.#pointing.blur();
    this.#hands.releaseAll();
  }

  /**
   * Presses keys in their order and releases them in the other: for what a browser cannot send (Ctrl+Alt+Del, Alt+Tab).
   */
  combo(codes: readonly number[]): void {
    this.#endCombo();
    for (const code of codes) {
      this.#hands.press(code);
    }
    const cancel = this.#c.timers.after(HOLD, () => this.#endCombo());
    this.#combo = () => {
      cancel();
      for (const code of codes.toReversed()) {
        this.#hands.release(code);
      }
    };
  }

  /** Lets go of the keys of the last combo; what the hands do next does not mix with it. */
  #endCombo(): void {
    const end = this.#combo;
    this.#combo = null;
    end?.();
  }

  /** Sends a key as press and release at once, such as 半角/全角 (CODES.Backquote) from the toolbar. */
  tap(code: number): void {
    this.#endCombo();
    this.#hands.send({ kind: "key_tap", code });
  }

  #listenToKeys(signal: AbortSignal): void {
    const { element } = this.#c;
    element.addEventListener("keydown", (e) => (this.#endCombo(), this.#keyboard.keydown(e)), { signal });
    element.addEventListener("keyup", (e) => this.#keyboard.keyup(e), { signal });
    element.addEventListener("focus", () => this.#keyboard.focus(), { signal });
    const { field } = this.#c;
    field.addEventListener("focus", () => this.#keyboard.focus(), { signal });
    for (const e of [element, field]) {
      e.addEventListener("blur", () => this.releaseAll(), { signal });
    }
    this.#softKeyboard.listen(signal);
  }

  #erase(times: number): void {
    for (let i = 0; i < times; i++) {
      this.tap(CODES.Backspace);
    }
  }

  #listenToPointer(signal: AbortSignal): void {
    const { element } = this.#c;
    element.addEventListener("pointerdown", (e) => this.#pointerDown(e), { signal });
    for (const type of ["pointermove", "pointerup"] as const) {
      element.addEventListener(type, (e) => this.#pointer(e), { signal });
    }
    // The system took the pointer away (a touch became a gesture): no button is down any more, whatever the event says.
    element.addEventListener(
      "pointercancel",
      (e) => (e.pointerType === "touch" ? this.#fingers(this.#touch.cancel()) : this.#pointing.event(e, 0)),
      { signal },
    );
    element.addEventListener("wheel", (e) => this.#wheel(e), { signal, passive: false });
    // Autoscroll by the middle button, back and forward by the side buttons, menus, selecting and dragging the picture.
    for (const type of ["mousedown", "mouseup", "auxclick", "contextmenu", "dragstart", "selectstart"]) {
      element.addEventListener(type, (e) => e.preventDefault(), { signal });
    }
  }

  #listenToPage(signal: AbortSignal): void {
    const doc = this.#c.element.ownerDocument;
    doc.addEventListener("visibilitychange", () => doc.visibilityState === "hidden" && this.releaseAll(), { signal });
    doc.defaultView?.addEventListener("blur", () => this.releaseAll(), { signal });
    doc.defaultView?.addEventListener("pagehide", () => this.releaseAll(), { signal });
  }

  #pointerDown(e: PointerEvent): void {
    const { element, field } = this.#c;
    // mousedown is prevented, so the focus must be moved by hand. A finger leaves it with the keyboard on the screen.
    if (e.pointerType !== "touch" || element.ownerDocument.activeElement !== field) {
      element.focus({ preventScroll: true });
    }
    // Captured, the drag goes on outside of the element and its end is not missed.
    element.setPointerCapture(e.pointerId);
    this.#pointer(e);
  }

  #pointer(e: PointerEvent): void {
    if (e.pointerType === "touch") {
      this.#finger(e);
      return;
    }
    this.#keyboard.observe(e);
    if (this.#pointing.changes(e)) {
      this.#keyboard.pointerAction();
    }
    this.#pointing.event(e);
  }

  #finger(e: PointerEvent): void {
    const finger = { id: e.pointerId, x: e.clientX, y: e.clientY };
    if (e.type === "pointerdown") {
      this.#fingers(this.#touch.down(finger));
      this.#stopResting?.();
      this.#stopResting = this.#c.timers.after(LONG_PRESS, () => this.#rested());
    } else {
      this.#fingers(e.type === "pointerup" ? this.#touch.up(finger) : this.#touch.move(finger));
    }
  }

  #rested(): void {
    this.#stopResting = null;
    this.#fingers(this.#touch.rested());
  }

  #fingers(gestures: readonly Gesture[]): void {
    if (!this.#touch.waits) {
      this.#stopResting?.();
      this.#stopResting = null;
    }
    for (const g of gestures) {
      this.#gesture(g);
    }
  }

  #gesture(g: Gesture): void {
    if (g.kind === "pinch") {
      this.#c.sink.zoom(g);
      return;
    }
    this.#keyboard.pointerAction();
    switch (g.kind) {
      case "click":
        this.#pointing.finger(g.x, g.y, 0);
        this.#pointing.finger(g.x, g.y, g.button === "left" ? LEFT : RIGHT);
        this.#pointing.finger(g.x, g.y, 0);
        break;
      case "press":
      case "drag":
        this.#pointing.finger(g.x, g.y, LEFT);
        break;
      case "release":
        this.#pointing.finger(g.x, g.y, 0);
        break;
      case "scroll":
        this.#pointing.scroll(g.x, g.y, g.dx, g.dy);
        break;
    }
  }

  #wheel(e: WheelEvent): void {
    e.preventDefault();
    // A pinch on a touch pad comes as a wheel with Control, which nobody holds: the desk would scroll instead of zoom.
    if (e.ctrlKey && !this.#keyboard.controlIsDown) {
      return;
    }
    this.#keyboard.observe(e);
    this.#keyboard.pointerAction();
    this.#pointing.wheel(e);
  }
}
