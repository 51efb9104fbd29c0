// What people type, folded as the gateway's package typed does it; vectors/typed holds the two together.

/** The one form of an id of a user or desk: NFKC, in lower case, without blanks around it. */
export function foldId(typed: string): string {
  return lower(typed.normalize("NFKC")).trim();
}

/** A text as searches compare it. Never for a name that is kept. */
export function fold(typed: string): string {
  return lower(typed.normalize("NFKC"))
    .replaceAll(/[\s\u0085\p{Cf}\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu, "")
    .replaceAll(/[ァ-ヶヽヾ]/g, (c) => String.fromCodePoint((c.codePointAt(0) ?? 0) - 0x60))
    .replaceAll(/[ー\u2010-\u2015\u2212]/g, "-");
}

/** Lower case letter by letter, without the rules that look at neighbours or make two of one. */
function lower(text: string): string {
  return Array.from(text, (c) => String.fromCodePoint(c.toLowerCase().codePointAt(0) ?? 0)).join("");
}

/** A cell as it is kept: no blanks around it, blanks of other widths as the usual one, nothing without a width. */
export function tidy(cell: string): string {
  return cell
    .replaceAll(/[\u200b\u2060\ufeff\u00ad]/g, "")
    .replaceAll(/(?!\u3000)\p{Zs}/gu, " ")
    .trim();
}

/** Finds what no line of text may have: controls, line separators, what turns the direction of writing. */
export const BAD =
  /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff0-\ufffb\ufffd\u{e0000}-\u{e007f}\p{Noncharacter_Code_Point}]/u;
