import { CODES, LOCAL_CODES, TAP_CODES } from "../keys/codes.ts";
import { CAPS_LOCK, NUM_LOCK, SCROLL_LOCK } from "../wire/locks.ts";
import { Chord } from "./chord.ts";
import type { Hands } from "./hands.ts";
import type { Sink, Timers } from "./sink.ts";

/** What is read of pointer and key events alike. */
export type ModifierEvent = Pick<KeyboardEvent, "shiftKey" | "ctrlKey" | "altKey" | "metaKey" | "getModifierState">;

/** What is read of a KeyboardEvent. */
export type KeyEvent = ModifierEvent & Pick<KeyboardEvent, "code" | "key" | "repeat" | "preventDefault">;

/**
 * What systems do with keys. On a Mac (and on an iPad) Caps Lock goes down when it locks and up when it unlocks, there
 * is no Num Lock, and no key-up of another key is told while Command is held. Windows sends a Control with AltGr that
 * nobody pressed.
 */
export type System = "mac" | "windows" | "other";

/** The system of a device, from navigator.platform. An iPad calls itself a Mac, or what it is. */
export function systemOf(platform: string): System {
  if (/^(Mac|iP)/.test(platform)) {
    return "mac";
  }
  return platform.startsWith("Win") ? "windows" : "other";
}

/** What a Keyboard must know of its surroundings. */
export interface KeyboardConfig {
  readonly sink: Sink;
  readonly hands: Hands;
  readonly timers: Timers;
  /** What the device's system does with keys. */
  readonly system: System;
  /**
   * The browser gets the system's keys (keyboard lock in full screen). Else the Windows key acts on the device whatever
   * a page does, so it is not sent too; the toolbar has it.
   */
  readonly systemKeys: () => boolean;
}

const numbers: ReadonlyMap<string, number> = new Map(Object.entries(CODES));
const LOCK_KEYS: ReadonlySet<number> = new Set([CODES.CapsLock, CODES.NumLock, CODES.ScrollLock]);

/** Keys that a keyboard on a screen names by what they do. */
const NAMED: ReadonlyMap<string, number> = new Map([
  ...(
    [
      "Enter",
      "Backspace",
      "Tab",
      "Escape",
      "Delete",
      "Home",
      "End",
      "PageUp",
      "PageDown",
      "ArrowUp",
      "ArrowDown",
      "ArrowLeft",
      "ArrowRight",
    ] as const
  ).map((name): [string, number] => [name, CODES[name]]),
  ["KanjiMode", CODES.Backquote],
  ["Zenkaku", CODES.Backquote],
  ["Hankaku", CODES.Backquote],
  ["ZenkakuHankaku", CODES.Backquote],
]);
/** Keys that write nothing by themselves: nobody misses them. */
const SILENT: ReadonlySet<string> = new Set([
  "Shift",
  "Control",
  "Alt",
  "AltGraph",
  "Meta",
  "CapsLock",
  "NumLock",
  "Fn",
]);
const META: ReadonlySet<number> = new Set([CODES.MetaLeft, CODES.MetaRight]);

/**
 * Turns key events into keys of the desk, by `code`, the physical key. `key` and `keyCode` are what the device's layout
 * and input method make of it and are not used: with an input method on, they are "Process" and 229 while `code` is
 * still right, so no event is passed over because of them. (Some Windows systems report 229 for every key; clients that
 * skip those lose all input.)
 */
export class Keyboard {
  readonly #c: KeyboardConfig;
  readonly #chord = new Chord();
  #stopPatience: (() => void) | null = null;
  #syncLocks = false;

  constructor(config: KeyboardConfig) {
    this.#c = config;
  }

  /** The desk gets the keyboard. The lock states follow with the first event that tells them. */
  focus(): void {
    this.#syncLocks = true;
  }

  /** The desk loses the keyboard. Kept modifiers are forgotten; who calls releases the rest. */
  blur(): void {
    this.#forget();
  }

  keydown(e: KeyEvent): void {
    // Nothing that is typed here may act on the page: no scrolling, no browser shortcut, no quick find.
    e.preventDefault();
    if (this.#written(e)) {
      return;
    }
    const code = this.#codeOf(e);
    this.observe(e, numberOf(e)); // also of a key that is not for the desk: it tells which modifiers are up
    if (META.has(numberOf(e))) {
      this.#commandDown();
    }
    if (code === 0 || e.repeat) {
      return; // the desk repeats by itself
    }
    if (this.#isOfSystem(e, code) || this.#chord.keeps(code)) {
      return;
    }
    if (isFalseControl(e, this.#c.system)) {
      this.#dropControl();
    }
    if (isTap(code, e) || this.#isWithoutUp(e, code)) {
      this.#spoil();
      this.#tap(code);
      return;
    }
    if (this.#c.hands.codes.has(code)) {
      this.#c.hands.release(code); // its key-up was lost
    }
    if (Chord.has(code)) {
      this.#modifierDown(code);
      return;
    }
    this.#spoil();
    this.#c.hands.press(code);
  }

  /**
   * A key without a code: a keyboard on a screen, a handwriting panel, or a program that types (VK_PACKET of Windows).
   * It says what it writes instead, or which key it stands for. Returns whether the event was one.
   */
  #written(e: KeyEvent): boolean {
    if (e.code !== "" && e.code !== "Unidentified") {
      return false;
    }
    this.#lift(e, 0); // its lock states are those of no keyboard
    const named = NAMED.get(e.key);
    if (named !== undefined) {
      this.#spoil();
      this.#tap(named);
    } else if (isCharacter(e.key) && !e.ctrlKey && !e.altKey && !e.metaKey) {
      this.write(e.key);
    } else if (!SILENT.has(e.key)) {
      this.#c.sink.unknownKey();
    }
    return true;
  }

  /** Writes a text that came without physical keys. */
  write(text: string): void {
    this.#spoil();
    this.#c.hands.flush();
    this.#c.sink.write(text);
  }

  keyup(e: KeyEvent): void {
    e.preventDefault();
    const code = this.#codeOf(e);
    if (code === 0) {
      this.observe(e, numberOf(e));
      return;
    }
    if (Chord.has(code) && this.#chord.up(code)) {
      this.#completeChord();
      return;
    }
    this.observe(e, code);
    if (isUpOnly(code, this.#c) && !this.#c.hands.codes.has(code)) {
      this.#spoil();
      this.#tap(code);
      return;
    }
    if (this.#chord.keeps(code)) {
      this.#sendKept();
    }
    this.#c.hands.release(code);
    if (META.has(code)) {
      this.#releaseOrdinary(); // a Mac that is taken for something else
    }
  }

  /** Whether a Control key of the device is down, as far as its events tell. */
  get controlIsDown(): boolean {
    return [CODES.ControlLeft, CODES.ControlRight].some((c) => this.#c.hands.codes.has(c) || this.#chord.keeps(c));
  }

  /** A pointer button or the wheel: modifiers that were kept back belong to it. */
  pointerAction(): void {
    this.#spoil();
  }

  /**
   * Looks at the modifiers of any event: releases what the system says is up although no key-up came (it went to
   * another window, or one of two Shift keys swallowed it; on a Mac all that is no modifier while Command is down), and
   * sends the lock states once after focus. `code` is the key of the event itself, 0 for a pointer event.
   */
  observe(e: ModifierEvent, code = 0): void {
    this.#lift(e, code);
    // At the event of a lock key itself, systems differ on whether it has acted already: wait for the next one.
    if (this.#syncLocks && !LOCK_KEYS.has(code)) {
      this.#syncLocks = false;
      this.#c.hands.send({ kind: "locks", locks: locksOf(e, this.#c.system === "mac") });
    }
  }

  /** Releases what the event says is up. */
  #lift(e: ModifierEvent, code: number): void {
    const up = [
      ...(e.shiftKey ? [] : [CODES.ShiftLeft, CODES.ShiftRight]),
      ...(e.ctrlKey ? [] : [CODES.ControlLeft, CODES.ControlRight]),
      ...(e.altKey || e.getModifierState("AltGraph") ? [] : [CODES.AltLeft, CODES.AltRight]),
      ...(e.metaKey ? [] : [CODES.MetaLeft, CODES.MetaRight]),
    ];
    for (const c of up.filter((u) => u !== code)) {
      this.#chord.lost(c);
      this.#c.hands.release(c);
    }
    if (e.metaKey && this.#c.system === "mac") {
      this.#releaseOrdinary();
    }
  }

  /** The number of the event's key, or 0 if it is not for the desk. */
  #codeOf(e: KeyEvent): number {
    const code = numberOf(e);
    if (LOCAL_CODES.has(code) || (META.has(code) && !this.#c.systemKeys() && !this.#c.hands.codes.has(code))) {
      return 0;
    }
    return code;
  }

  /** A shortcut with a Windows or Command key that stays on the device: its letter must not be typed on the desk. */
  #isOfSystem(e: KeyEvent, code: number): boolean {
    return e.metaKey && !META.has(code) && ![...META].some((c) => this.#c.hands.codes.has(c));
  }

  /** A key whose key-up will not be told: a letter with Command on a Mac. */
  #isWithoutUp(e: KeyEvent, code: number): boolean {
    return this.#c.system === "mac" && e.metaKey && !META.has(code) && !Chord.has(code);
  }

  /**
   * The Windows or Command key goes down: a shortcut begins. If it stays here, so do the modifiers that were kept back.
   */
  #commandDown(): void {
    if (this.#c.system === "mac") {
      this.#releaseOrdinary();
    }
    if (!this.#c.systemKeys()) {
      this.#spoilUnsent();
    }
  }

  #spoilUnsent(): void {
    this.#stopPatience?.();
    this.#stopPatience = null;
    this.#chord.spoil();
  }

  /** Forgets the Control that Windows sent before an AltGr. */
  #dropControl(): void {
    this.#chord.lost(CODES.ControlLeft);
    this.#c.hands.release(CODES.ControlLeft);
  }

  #tap(code: number): void {
    this.#c.hands.send({ kind: "key_tap", code });
  }

  #modifierDown(code: number): void {
    const { hands, timers } = this.#c;
    const alone = hands.buttons === 0 && [...hands.codes].every((c) => Chord.has(c));
    if (!this.#chord.down(code, alone)) {
      this.#sendKept();
      hands.press(code);
      return;
    }
    this.#stopPatience?.();
    this.#stopPatience = null;
    if (this.#chord.kept === 1 && hands.empty) {
      this.#stopPatience = timers.after(Chord.PATIENCE, () => this.#sendKept());
    }
  }

  #completeChord(): void {
    this.#forget();
    if (!this.#c.hands.empty) {
      this.#c.hands.releaseAll();
    }
    this.#c.sink.toToolbar();
  }

  #spoil(): void {
    this.#pressAll(this.#chord.spoil());
  }

  #sendKept(): void {
    this.#pressAll(this.#chord.takeKept());
  }

  #pressAll(codes: readonly number[]): void {
    this.#stopPatience?.();
    this.#stopPatience = null;
    for (const c of codes) {
      this.#c.hands.press(c);
    }
  }

  #releaseOrdinary(): void {
    const ordinary = [...this.#c.hands.codes].filter((c) => !Chord.has(c) && !META.has(c));
    for (const c of ordinary) {
      this.#c.hands.release(c);
    }
  }

  #forget(): void {
    this.#stopPatience?.();
    this.#stopPatience = null;
    this.#chord.clear();
  }
}

/**
 * Whether the key is sent as a tap. Backquote is 半角/全角 on a Japanese keyboard, which may go down without ever going
 * up; elsewhere it writes a character and is an ordinary key.
 */
function isTap(code: number, e: KeyEvent): boolean {
  if (code === CODES.Backquote) {
    return e.key.length !== 1 && e.key !== "Dead";
  }
  return TAP_CODES.has(code);
}

/** The number of the event's key, 0 for one that has none. */
function numberOf(e: KeyEvent): number {
  return numbers.get(e.code) ?? 0;
}

/** Whether a key's value is one character, and no name. */
export function isCharacter(key: string): boolean {
  return key.length === 1 || (key.length === 2 && (key.codePointAt(0) ?? 0) > 0xffff);
}

/** AltGr of Windows: it comes right behind a Control that nobody pressed. */
function isFalseControl(e: KeyEvent, system: System): boolean {
  return system === "windows" && e.code === "AltRight" && e.key === "AltGraph";
}

/** Keys of which a key-up may come alone: PrintScreen on Windows; Caps Lock on a Mac, when it unlocks. */
function isUpOnly(code: number, c: KeyboardConfig): boolean {
  return code === CODES.PrintScreen || (c.system === "mac" && code === CODES.CapsLock);
}

/** The lock states that an event tells. The numeric pad of a Mac always writes digits: as if Num Lock were on. */
function locksOf(e: ModifierEvent, mac: boolean): number {
  return (
    (e.getModifierState("CapsLock") ? CAPS_LOCK : 0) |
    (mac || e.getModifierState("NumLock") ? NUM_LOCK : 0) |
    (e.getModifierState("ScrollLock") ? SCROLL_LOCK : 0)
  );
}
