import { CODES } from "../keys/codes.ts";
import type { Layout } from "../wire/layout.ts";
import { ALL_MONITORS } from "../wire/limits.ts";
import { button, el, icon, ICONS } from "./dom.ts";
import { Locks } from "./locks.ts";
import { type Group, Menu } from "./menu.ts";
import { Quality } from "./quality.ts";
import type { Scale } from "./scale.ts";
import { hasTouch } from "./softkeys.ts";
import type { Text } from "./text.ts";

/** What the toolbar's buttons do. */
export interface Actions {
  /** Presses keys together on the desk, or taps a single one. */
  keys(codes: readonly number[]): void;
  scale(scale: Scale): void;
  monitor(index: number): void;
  fullScreen(): void;
  paste(): void;
  /** Shows the keyboard of a phone or tablet. */
  softKeyboard(): void;
  end(): void;
  /** The focus goes back to the desk. */
  leave(): void;
}

/** What the toolbar shows. */
export interface Showing {
  readonly desk: string;
  readonly scale: Scale;
  readonly monitor: number;
  readonly layout: Layout | null;
  readonly isFullScreen: boolean;
  readonly mayPaste: boolean;
  readonly mayType: boolean;
}

/** How long it stays after the pointer has left it, and how long the pointer must rest at the edge, in milliseconds. */
const STAY = 1500;
const REST = 180;
const EDGE = 3;

/**
 * The bar at the top of the viewer. It hides itself; the pointer at the top edge, its small handle, or the release
 * chord bring it back. What is typed while it has the focus never reaches the desk, for input listens on the desk's
 * element alone.
 */
export class Toolbar {
  readonly element: HTMLElement;
  readonly quality: Quality;
  readonly locks: Locks;
  readonly #text: Text;
  readonly #actions: Actions;
  #showing: Showing;
  readonly #name = el("span", { class: "desk-name" });
  readonly #full: HTMLButtonElement;
  readonly #paste: HTMLButtonElement;
  readonly #soft: HTMLButtonElement;
  readonly #keys: Menu;
  readonly #display: Menu;
  readonly #bar: HTMLElement;
  #hiding: ReturnType<typeof setTimeout> | undefined;
  #resting: ReturnType<typeof setTimeout> | undefined;
  /** The pointer is over it. Styles that hover would stay after a finger. */
  #isOver = false;

  constructor(text: Text, actions: Actions, showing: Showing) {
    this.#text = text;
    this.#actions = actions;
    this.#showing = showing;
    this.quality = new Quality(text);
    this.locks = new Locks(text);
    this.#keys = new Menu("keys", text.say("keys"), ICONS.keyboard, () => this.#keyGroups());
    this.#display = new Menu("display", text.say("display"), ICONS.display, () => this.#displayGroups());
    this.#full = button({ class: "tool", id: "full" }, () => actions.fullScreen());
    this.#paste = button(
      { class: "tool", id: "paste", title: text.say("pasteLong") },
      () => actions.paste(),
      icon(ICONS.paste),
      label(text.say("paste")),
    );
    this.#soft = button(
      { class: "tool", id: "soft-keyboard", title: text.say("softKeyboard") },
      () => actions.softKeyboard(),
      icon(ICONS.touch),
      label(text.say("softKeyboard")),
    );
    const end = button(
      { class: "tool danger", id: "end" },
      () => actions.end(),
      icon(ICONS.end),
      label(text.say("end")),
    );
    this.#bar = el(
      "div",
      { class: "bar", role: "toolbar", "aria-label": text.say("toolbar") },
      el("div", { class: "who" }, this.quality.lamp, this.#name, this.locks.element),
      this.#soft,
      this.#keys.element,
      this.#display.element,
      this.#full,
      this.#paste,
      this.quality.element,
      end,
    );
    const handle = button({ class: "handle", "aria-label": text.say("openToolbar"), tabindex: "-1" }, () =>
      this.focus(),
    );
    this.element = el("div", { class: "dock" }, this.#bar, handle);
    this.#listen();
    this.update(showing);
  }

  /** Shows something else. */
  update(showing: Showing): void {
    this.#showing = showing;
    this.#name.textContent = showing.desk;
    this.#paste.hidden = !showing.mayPaste;
    this.#keys.element.hidden = !showing.mayType;
    this.#soft.hidden = !showing.mayType || !hasTouch();
    const d = showing.isFullScreen ? ICONS.shrink : ICONS.expand;
    this.#full.replaceChildren(icon(d), label(this.#text.say(showing.isFullScreen ? "leaveFullScreen" : "fullScreen")));
  }

  /** Leaves so many CSS pixels free above itself. */
  below(top: number): void {
    this.element.style.setProperty("--clear", `${top}px`);
  }

  /** Comes out and takes the focus. */
  focus(): void {
    this.open();
    this.#tools[0]?.focus();
  }

  /** Comes out for a while. */
  open(): void {
    clearTimeout(this.#hiding);
    this.element.classList.add("open");
    this.#hideSoon(STAY * 2);
  }

  /** The pointer moved over the page. */
  pointer(e: PointerEvent): void {
    if (e.clientY > EDGE || e.buttons !== 0) {
      clearTimeout(this.#resting);
      this.#resting = undefined;
    } else {
      this.#resting ??= setTimeout(() => this.open(), REST);
    }
  }

  #listen(): void {
    const { element } = this;
    const bar = this.#bar;
    // A finger does not hover: what it opened by touching would lie under it when it presses.
    element.addEventListener("pointerenter", (e) => e.pointerType !== "touch" && this.#hover(true));
    element.addEventListener("pointerleave", (e) => e.pointerType !== "touch" && this.#hover(false));
    element.addEventListener("focusin", () => this.open());
    element.addEventListener("focusout", () => this.#hideSoon(STAY / 3));
    bar.addEventListener("keydown", (e) => this.#key(e));
  }

  #hover(isOver: boolean): void {
    this.#isOver = isOver;
    if (isOver) {
      this.open();
    } else {
      this.#hideSoon(STAY);
    }
  }

  #hideSoon(after: number): void {
    clearTimeout(this.#hiding);
    this.#hiding = setTimeout(() => {
      const isUsed = this.#isOver || this.element.contains(document.activeElement);
      if (!isUsed) {
        this.element.classList.remove("open");
      }
    }, after);
  }

  get #tools(): HTMLElement[] {
    return [...this.#bar.querySelectorAll<HTMLElement>("button.tool")].filter((b) => b.offsetParent !== null);
  }

  #key(e: KeyboardEvent): void {
    const tools = this.#tools;
    const at = tools.indexOf(document.activeElement as HTMLElement);
    if (e.key === "Escape") {
      this.#actions.leave();
    } else if (at >= 0 && e.key === "ArrowRight") {
      tools[(at + 1) % tools.length]?.focus();
    } else if (at >= 0 && e.key === "ArrowLeft") {
      tools[(at + tools.length - 1) % tools.length]?.focus();
    } else {
      return;
    }
    e.preventDefault();
  }

  #keyGroups(): Group[] {
    const text = this.#text;
    const item = (name: Parameters<Text["say"]>[0], ...codes: number[]) => ({
      label: text.say(name),
      act: () => this.#actions.keys(codes),
    });
    return [
      {
        items: [
          item("keyCtrlAltDel", CODES.ControlLeft, CODES.AltLeft, CODES.Delete),
          item("keyWindows", CODES.MetaLeft),
          item("keyAltTab", CODES.AltLeft, CODES.Tab),
          item("keyAltF4", CODES.AltLeft, CODES.F4),
          item("keyHankaku", CODES.Backquote),
          item("keyTab", CODES.Tab),
          item("keyEscape", CODES.Escape),
          item("keyPrintScreen", CODES.PrintScreen),
        ],
      },
    ];
  }

  #displayGroups(): Group[] {
    const text = this.#text;
    const showing = this.#showing;
    const actions = this.#actions;
    const scale = (s: Scale) => ({ label: text.say(s), checked: showing.scale === s, act: () => actions.scale(s) });
    const groups: Group[] = [{ heading: text.say("scale"), items: [scale("fit"), scale("actual")] }];
    const monitors = showing.layout?.monitors ?? [];
    if (monitors.length < 2) {
      return groups;
    }
    const one = (index: number, name: string) => ({
      label: name,
      checked: showing.monitor === index,
      act: () => actions.monitor(index),
    });
    const items = monitors.map((m, i) => {
      const size = `${m.width} × ${m.height}${m.primary ? `, ${text.say("primary")}` : ""}`;
      return one(i, `${text.say("monitor", { n: i + 1 })} (${size})`);
    });
    return [
      ...groups,
      { heading: text.say("monitors"), items: [...items, one(ALL_MONITORS, text.say("allMonitors"))] },
    ];
  }
}

function label(s: string): HTMLElement {
  return el("span", { class: "label" }, s);
}
