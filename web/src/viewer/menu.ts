import { button, el, icon, ICONS } from "./dom.ts";

/** One entry of a menu. */
export interface Item {
  readonly label: string;
  /** For entries of which one is chosen: whether it is this one. */
  readonly checked?: boolean;
  readonly act: () => void;
}

/** Entries under a heading; without one the heading is left out. */
export interface Group {
  readonly heading?: string;
  readonly items: readonly Item[];
}

/**
 * A button that opens a menu below it (WAI-ARIA menu button): arrow keys, Home and End move, Escape and a choice close
 * it and give the focus back to the button.
 */
export class Menu {
  readonly element: HTMLElement;
  readonly button: HTMLButtonElement;
  readonly #panel: HTMLElement;
  readonly #groups: () => readonly Group[];

  constructor(id: string, label: string, d: string, groups: () => readonly Group[]) {
    this.#groups = groups;
    this.#panel = el("div", { class: "panel menu", id: `${id}-menu`, role: "menu", "aria-label": label, hidden: "" });
    this.button = button(
      { class: "tool", id, "aria-haspopup": "menu", "aria-expanded": "false", "aria-controls": `${id}-menu` },
      () => (this.isOpen ? this.close() : this.#open()),
      icon(d),
      el("span", { class: "label" }, label),
      icon(ICONS.chevron),
    );
    this.element = el("div", { class: "group" }, this.button, this.#panel);
    this.#panel.addEventListener("keydown", (e) => this.#key(e));
    this.button.addEventListener("keydown", (e) => {
      if (e.key === "ArrowDown" && !this.isOpen) {
        e.preventDefault();
        this.#open();
      }
    });
    this.element.addEventListener("focusout", (e) => {
      if (!(e.relatedTarget instanceof Node && this.element.contains(e.relatedTarget))) {
        this.#hide();
      }
    });
  }

  get isOpen(): boolean {
    return !this.#panel.hidden;
  }

  /** Closes it; the focus goes to the button. */
  close(): void {
    this.#hide();
    this.button.focus();
  }

  #open(): void {
    this.#panel.replaceChildren(...this.#groups().flatMap((g, i) => this.#group(g, i)));
    this.#panel.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    (this.#entries.find((e) => e.getAttribute("aria-checked") === "true") ?? this.#entries[0])?.focus();
  }

  #hide(): void {
    this.#panel.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }

  #group(g: Group, i: number): HTMLElement {
    const id = `${this.button.id}-group-${i}`;
    const heading =
      g.heading === undefined ? [] : [el("div", { class: "heading", id, role: "presentation" }, g.heading)];
    const attributes = g.heading === undefined ? { role: "group" } : { role: "group", "aria-labelledby": id };
    return el("div", attributes, ...heading, ...g.items.map((item) => this.#item(item)));
  }

  #item(item: Item): HTMLElement {
    const radio = item.checked !== undefined;
    const role = radio ? { role: "menuitemradio", "aria-checked": String(item.checked) } : { role: "menuitem" };
    const mark = el("span", { class: "mark" }, ...(item.checked === true ? [icon(ICONS.check)] : []));
    const act = (): void => {
      this.close();
      item.act();
    };
    return button({ class: "entry", tabindex: "-1", ...role }, act, ...(radio ? [mark] : []), item.label);
  }

  get #entries(): HTMLElement[] {
    return [...this.#panel.querySelectorAll<HTMLElement>(".entry")];
  }

  #key(e: KeyboardEvent): void {
    const entries = this.#entries;
    const at = entries.indexOf(document.activeElement as HTMLElement);
    const to: Readonly<Record<string, number>> = {
      ArrowDown: (at + 1) % entries.length,
      ArrowUp: (at + entries.length - 1) % entries.length,
      Home: 0,
      End: entries.length - 1,
    };
    const next = to[e.key];
    if (next !== undefined) {
      entries[next]?.focus();
    } else if (e.key === "Escape") {
      this.close();
    } else {
      return;
    }
    e.preventDefault();
    e.stopPropagation();
  }
}
