// The rules of package auth for new passwords, as far as a browser can tell: the gateway checks them all again, and
// with lists of common words besides.

const LONG_ENOUGH = 12;
const SHORTEST = 8;
const THREE_KINDS = 3;
const LONGEST = 128;
const FEWEST_DIFFERENT = 5;

/** A rule that a new password may break. */
export type Rule = "length" | "long" | "name" | "repeats" | "same";

/** All rules in the order in which they are shown. */
export const RULES: readonly Rule[] = ["length", "long", "name", "repeats", "same"];

/** Who chooses a password, and which one he has. */
export interface Owner {
  readonly userId: string;
  /** Parts are separated by spaces. */
  readonly name: string;
  readonly present: string;
}

/** The rules that a new password breaks. */
export function brokenRules(password: string, owner: Owner): ReadonlySet<Rule> {
  const plain = password.normalize("NFKC");
  const low = plain.toLowerCase();
  const n = Array.from(plain).length;
  const broken = new Set<Rule>();
  if (n < SHORTEST || (n < LONG_ENOUGH && kinds(plain) < THREE_KINDS)) {
    broken.add("length");
  }
  if (n > LONGEST) {
    broken.add("long");
  }
  if (containsName(low, owner)) {
    broken.add("name");
  }
  if (repeats(low)) {
    broken.add("repeats");
  }
  if (similar(owner.present, password)) {
    broken.add("same");
  }
  return broken;
}

/** How many of capitals, small letters, digits and others there are. */
function kinds(text: string): number {
  const found = new Set(
    Array.from(text, (c) => (/\p{Lu}/u.test(c) ? "A" : /\p{Ll}/u.test(c) ? "a" : /\p{Nd}/u.test(c) ? "1" : "-")),
  );
  return found.size;
}

function containsName(low: string, { userId, name }: Owner): boolean {
  const words = [...name.normalize("NFKC").toLowerCase().split(/\s+/), userId.toLowerCase()];
  return words.some((w) => {
    const n = Array.from(w).length;
    const ascii = Array.from(w).every((c) => c <= "\u007f");
    return (n >= 4 || (n >= 2 && !ascii)) && low.includes(w);
  });
}

function repeats(low: string): boolean {
  if (new Set(low).size < FEWEST_DIFFERENT) {
    return true;
  }
  return [1, 2, 3, 4].some(
    (size) =>
      size * 3 <= low.length &&
      low ===
        low
          .slice(0, size)
          .repeat(Math.ceil(low.length / size))
          .slice(0, low.length),
  );
}

const core = (s: string): string =>
  s
    .normalize("NFKC")
    .toLowerCase()
    .replace(/^\P{L}+|\P{L}+$/gu, "");

/** The same but for numbers and signs at the ends, or case. */
function similar(before: string, after: string): boolean {
  const a = core(before);
  const b = core(after);
  if (Array.from(a).length < 4 || Array.from(b).length < 4) {
    return before.normalize("NFKC") === after.normalize("NFKC");
  }
  return a === b;
}
