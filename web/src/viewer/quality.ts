import type { Statistics } from "../engine/messages.ts";
import { button, el, icon, ICONS } from "./dom.ts";
import type { Text } from "./text.ts";

/** Round trips up to which a line is good, and up to which it is fair, in milliseconds. */
const GOOD = 60;
const FAIR = 150;

/** How the line is, in one word. */
export type Grade = "good" | "fair" | "poor" | "none";

/** Judges a line by its round trip. */
export function grade(roundTrip: number | null, silent: number): Grade {
  if (roundTrip === null) {
    return "none";
  }
  if (silent > 3000 || roundTrip > FAIR) {
    return "poor";
  }
  return roundTrip > GOOD ? "fair" : "good";
}

/** Bytes per second for people. */
export function rate(bytes: number): string {
  const bits = bytes * 8;
  if (bits < 1e3) {
    return `${Math.round(bits)} bps`;
  }
  return bits < 1e6 ? `${(bits / 1e3).toFixed(bits < 1e5 ? 1 : 0)} kbps` : `${(bits / 1e6).toFixed(1)} Mbps`;
}

/** Shows how the connection is: a lamp in the bar, and the figures on demand. */
export class Quality {
  readonly element: HTMLElement;
  /** Green, amber or red; decoration beside the figures. */
  readonly lamp = el("span", { class: "lamp", "data-grade": "none", "aria-hidden": "true" });
  readonly #text: Text;
  readonly #short = el("span", { class: "label figure" }, "–");
  readonly #panel: HTMLElement;
  readonly #values = new Map<string, HTMLElement>();

  constructor(text: Text) {
    this.#text = text;
    const rows = (["roundTrip", "frames", "traffic", "path", "sealed"] as const).flatMap((key) => {
      const value = el("dd", {}, "–");
      this.#values.set(key, value);
      return [el("dt", {}, text.say(key)), value];
    });
    this.#set("sealed", text.say("sealedBy"));
    this.#panel = el(
      "div",
      { class: "panel quality", id: "quality-panel", role: "group", "aria-label": text.say("quality"), hidden: "" },
      el("dl", {}, ...rows),
    );
    const toggle = button(
      {
        class: "tool",
        id: "quality",
        "aria-expanded": "false",
        "aria-controls": "quality-panel",
        "aria-label": text.say("quality"),
      },
      () => this.#toggle(toggle),
      bars(),
      this.#short,
      icon(ICONS.chevron),
    );
    this.element = el("div", { class: "group", "data-grade": "none" }, toggle, this.#panel);
    this.element.addEventListener("focusout", (e) => {
      if (!(e.relatedTarget instanceof Node && this.element.contains(e.relatedTarget))) {
        this.#show(toggle, false);
      }
    });
  }

  /** Takes the figures of the last second. */
  update(s: Statistics): void {
    const text = this.#text;
    const trip =
      s.roundTrip === null ? "–" : `${s.roundTrip < 10 ? s.roundTrip.toFixed(1) : Math.round(s.roundTrip)} ms`;
    this.#short.textContent = trip;
    this.#set("roundTrip", trip);
    this.#set("frames", `${s.updates.toFixed(s.updates < 10 ? 1 : 0)} ${text.say("framesUnit")}`);
    this.#set("traffic", rate(s.bytes));
    const g = grade(s.roundTrip, s.silent);
    this.lamp.dataset["grade"] = g;
    this.element.dataset["grade"] = g;
  }

  /** The relay's address, as the path. */
  path(relayUrl: string): void {
    this.#set("path", this.#text.say("pathRelay", { host: URL.canParse(relayUrl) ? new URL(relayUrl).host : "–" }));
  }

  #set(key: string, value: string): void {
    const e = this.#values.get(key);
    if (e !== undefined) {
      e.textContent = value;
    }
  }

  #toggle(b: HTMLElement): void {
    this.#show(b, this.#panel.hidden !== false);
  }

  #show(b: HTMLElement, isOpen: boolean): void {
    this.#panel.hidden = !isOpen;
    b.setAttribute("aria-expanded", String(isOpen));
  }
}

function bars(): HTMLElement {
  return el("span", { class: "bars", "aria-hidden": "true" }, el("i"), el("i"), el("i"));
}
