import { el } from "./dom.ts";

/** The field that makes a phone show its keyboard; a program writes in it, nobody reads it. */
export function writingField(name: string): HTMLTextAreaElement {
  return el("textarea", {
    class: "writing",
    "aria-label": name,
    tabindex: "-1",
    rows: "1",
    autocomplete: "off",
    autocorrect: "off",
    autocapitalize: "none",
    spellcheck: "false",
    enterkeyhint: "enter",
  });
}

/** Whether this device can have a keyboard on its screen. */
export function hasTouch(): boolean {
  return navigator.maxTouchPoints > 0 || matchMedia("(any-pointer: coarse)").matches;
}

/**
 * Keeps the page above the keyboard on the screen as long as that writes in the field: some systems lay it over the
 * page.
 */
export function fitAbove(root: HTMLElement, field: HTMLElement): void {
  const view = globalThis.visualViewport;
  if (view === null || view === undefined) {
    return;
  }
  const fit = (): void => {
    const isWriting = document.activeElement === field && view.scale === 1;
    root.style.bottom = isWriting ? "auto" : "";
    root.style.top = isWriting ? `${view.offsetTop}px` : "";
    root.style.height = isWriting ? `${view.height}px` : "";
  };
  view.addEventListener("resize", fit);
  view.addEventListener("scroll", fit);
  field.addEventListener("focus", fit);
  field.addEventListener("blur", fit);
}
