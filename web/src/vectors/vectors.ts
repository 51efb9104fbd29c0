// Reads the test vectors in vectors/ (format: vectors/README.md). For tests only.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One scenario. */
export interface Vector {
  /** File name without ".vec". */
  readonly name: string;
  readonly header: ReadonlyMap<string, string>;
  /** What is parsed; may be empty. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

const root = fileURLToPath(new URL("../../../vectors/", import.meta.url));

/** Bytes of a string of hexadecimal digits. Throws on anything else. */
export function fromHex(s: string): Uint8Array<ArrayBuffer> {
  if (s.length % 2 !== 0 || !/^[0-9a-f]*$/.test(s)) {
    throw new Error("not hexadecimal");
  }
  const out = new Uint8Array(s.length / 2);
  for (let i = 0; i < out.length; i++) {
    out[i] = Number.parseInt(s.slice(2 * i, 2 * i + 2), 16);
  }
  return out;
}

/** Hexadecimal digits of bytes. */
export function toHex(b: Uint8Array): string {
  return Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
}

/** Reads a file of the format; as strict as the Go reader. */
export function parseVector(name: string, text: string): Vector {
  const blank = text.indexOf("\n\n");
  if (blank < 0) {
    throw new Error(`${name}: no blank line after the header`);
  }
  const header = new Map<string, string>();
  for (const line of text.slice(0, blank).split("\n")) {
    const colon = line.indexOf(": ");
    const field = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 2);
    if (colon <= 0 || value === "" || header.has(field)) {
      throw new Error(`${name}: bad header line ${JSON.stringify(line)}`);
    }
    header.set(field, value);
  }
  if (!header.has("comment") || !header.has("expect")) {
    throw new Error(`${name}: comment or expect is missing`);
  }
  return { name, header, payload: fromHex(text.slice(blank + 2).replaceAll("\n", "")) };
}

/** The vectors of a package, sorted by name. Throws if there is none. */
export function readVectors(pkg: string): Vector[] {
  const dir = `${root}${pkg}/`;
  const files = readdirSync(dir)
    .filter((f) => f.endsWith(".vec"))
    .sort();
  if (files.length === 0) {
    throw new Error(`no vectors of ${pkg}`);
  }
  return files.map((f) => parseVector(f.slice(0, -4), readFileSync(dir + f, "utf8")));
}

/** A file of a package's vectors that is not a .vec file, as JSON. */
export function readVectorJSON(path: string): unknown {
  return JSON.parse(readFileSync(root + path, "utf8"));
}
