import { CAPS_LOCK, NUM_LOCK, SCROLL_LOCK } from "../wire/locks.ts";
import { el } from "./dom.ts";
import type { Text } from "./text.ts";

/** The lamps: the bit, what stands on the lamp, and its name. */
const LAMPS = [
  { bit: CAPS_LOCK, short: "Caps", name: "CapsLock" },
  { bit: NUM_LOCK, short: "Num", name: "NumLock" },
  { bit: SCROLL_LOCK, short: "Scr", name: "ScrollLock" },
] as const;

/** The lock lamps of the desk's keyboard, as the agent reads them back: those of the device may say something else. */
export class Locks {
  readonly element = el("span", { class: "locks", role: "img", hidden: "" });
  readonly #text: Text;
  readonly #lamps = LAMPS.map(({ short }) => el("span", { class: "lock" }, short));
  #last: number | null = null;

  constructor(text: Text) {
    this.#text = text;
    this.element.append(...this.#lamps);
  }

  /**
   * Takes the states (_LOCK bits). Returns the sentence for a Caps Lock that has changed since the last time, which
   * makes passwords wrong unseen; else an empty one.
   */
  update(locks: number): string {
    const before = this.#last;
    this.#last = locks;
    const text = this.#text;
    const states = LAMPS.map(({ bit, name }, i) => {
      const isOn = (locks & bit) !== 0;
      this.#lamps[i]?.classList.toggle("on", isOn);
      return text.say(isOn ? "lockOn" : "lockOff", { name });
    });
    this.element.setAttribute("aria-label", text.say("locks", { states: states.join(", ") }));
    this.element.hidden = false;
    if (before === null || ((before ^ locks) & CAPS_LOCK) === 0) {
      return "";
    }
    return text.say((locks & CAPS_LOCK) === 0 ? "capsOff" : "capsOn");
  }

  /** Another session begins: what the lamps said before is no news. */
  forget(): void {
    this.#last = null;
    this.element.hidden = true;
  }
}
