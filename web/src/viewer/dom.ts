/** What a new element gets: attributes, and under `on` what it listens to. */
type Attributes = Readonly<Record<string, string>>;

/** Makes an element with attributes and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    e.setAttribute(name, value);
  }
  e.append(...children);
  return e;
}

/** Makes a button that does something. */
export function button(
  attributes: Attributes,
  act: () => void,
  ...children: readonly (Node | string)[]
): HTMLButtonElement {
  const b = el("button", { type: "button", ...attributes }, ...children);
  b.addEventListener("click", act);
  return b;
}

const SVG = "http://www.w3.org/2000/svg";

/** A 24 x 24 line icon from the `d` of a path. It is decoration: whoever holds it has a name. */
export function icon(d: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  for (const [k, v] of Object.entries({
    viewBox: "0 0 24 24",
    class: "icon",
    "aria-hidden": "true",
    focusable: "false",
  })) {
    svg.setAttribute(k, v);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
}

export const ICONS = {
  keyboard: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M18 10h.01M7 14h10",
  touch: "M3 4h18v11H3zM7 8h.01M11 8h.01M15 8h.01M17 8h.01M8 12h8M9 19l3 2 3-2",
  display: "M3 4h18v12H3zM8 20h8M12 16v4",
  expand: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  shrink: "M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5",
  paste: "M9 4h6v3H9zM9 5H5v16h14V5h-4M9 13h6M9 17h6",
  end: "M12 3v9M6.3 6.3a8 8 0 1 0 11.4 0",
  chevron: "M6 9l6 6 6-6",
  check: "M5 12l5 5 9-10",
  alert: "M12 3l10 18H2zM12 10v5M12 18h.01",
  lock: "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3",
} as const;
