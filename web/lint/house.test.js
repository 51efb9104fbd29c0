// The rules of the house find what they are there for, in a small web/src of the test's own; and the table of layers
// holds no row and no permission that nobody needs.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { afterEach, expect, test } from "vitest";
import { layers, packageOf, placeOf, react } from "./layers.js";

const web = join(import.meta.dirname, "..");
const folders = [];
afterEach(() => {
  for (const f of folders.splice(0)) {
    rmSync(f, { recursive: true });
  }
});

/** What the linter says of files of web/src, as `rule: message`. */
function lint(files) {
  const folder = mkdtempSync(join(tmpdir(), "house-"));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, "web/src", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const args = [
    join(web, "node_modules/oxlint/bin/oxlint"),
    "-c",
    join(web, ".oxlintrc.json"),
    "-f",
    "json",
    "--import-plugin",
    folder,
  ];
  return JSON.parse(run(args)).diagnostics.map((d) => `${d.code}: ${d.message}`);
}

function run(args) {
  try {
    return execFileSync(process.execPath, args, { encoding: "utf8", cwd: web });
  } catch (e) {
    return e.stdout; // it found something
  }
}

test.each([
  ["a page below another", { "kit/a.ts": 'export * from "../console/b.ts";\n' }, "kit may not import console"],
  [
    "a page beside another",
    { "policy/a.ts": 'export const a = () => import("../console/b.ts");\n' },
    "policy may not import console",
  ],
  ["a type alone", { "wire/a.ts": 'export type A = import("../codec/b.ts").B;\n' }, "wire may not import codec"],
  ["a package", { "codec/a.ts": 'export { useState } from "react";\n' }, "codec may not import react"],
  [
    "a test helper",
    { "seal/a.ts": 'import { x } from "./sealtest.ts";\nexport const y = x;\n' },
    "test helpers are for tests",
  ],
  [
    "a folder without a row",
    { "misc/a.ts": 'export const a = 1;\nexport * from "react";\n' },
    "no folder of lint/layers.js: misc",
  ],
  [
    "a file without a folder",
    { "a.ts": 'export * from "./kit/a.ts";\n' },
    "no folder of lint/layers.js: web/src itself",
  ],
])("%s is not imported", (_, files, want) => {
  expect(lint(files).join("\n")).toContain(`house(layers): ${want}`);
});

test("circles are found, also of types", () => {
  const said = lint({
    "kit/a.ts": 'import { b } from "./b.ts";\nexport const a = (): unknown => b;\n',
    "kit/b.ts": 'export * from "./c.ts";\nexport const b = 1;\n',
    "kit/c.ts": 'import type { a } from "./a.ts";\nexport type C = typeof a;\n',
  });
  expect(said.filter((s) => s.includes("no-cycle"))).toHaveLength(3);
});

test.each(["private readonly a = 1;", "protected a(): void {}", "public static a = 1;"])(
  "%s is written without the word",
  (member) => {
    expect(lint({ "codec/a.ts": `export class A {\n  ${member}\n}\n` }).join("\n")).toContain("house(hash)");
  },
);

test("lines are not longer than 120 columns, but where they are one text; and braces always stand", () => {
  const long = `1${" + 1".repeat(30)}`;
  const said = lint({
    "codec/a.ts": `export const a = (b: boolean): number => {\n  if (b) return 1;\n  return ${long};\n};\n`,
    "codec/b.ts": `export const b = {\n  text: "${"x".repeat(200)}",\n};\n`,
  });
  expect(said.map((s) => s.split(":")[0])).toEqual(expect.arrayContaining(["eslint(curly)", "house(columns)"]));
  expect(said).toHaveLength(2);
});

test("what is allowed passes", () => {
  expect(
    lint({
      "kit/a.ts": 'import { useState } from "react";\nexport const a = useState;\n',
      "console/b.ts": 'import { a } from "../kit/a.ts";\nexport const b = a;\n',
      "codec/c.test.ts":
        'import { readFileSync } from "node:fs";\nimport { b } from "../console/b.ts";\nexport const c = [b, readFileSync];\n',
    }),
  ).toEqual([]);
});

test("every row of the table is a folder, and every permission is used", () => {
  const src = join(web, "src");
  const files = readdirSync(src, { recursive: true }).filter((f) => /\.tsx?$/.test(f) && !f.startsWith("gen/"));
  expect(Object.keys(layers).toSorted()).toEqual(readdirSync(src).toSorted());
  const used = new Set();
  for (const file of files.filter((f) => f.startsWith("vectors/") || !placeOf(f).test)) {
    for (const name of importsOf(readFileSync(join(src, file), "utf8"))) {
      used.add(`${placeOf(file).folder} ${rowNameOf(file, name)}`);
    }
  }
  const permitted = Object.entries(layers).flatMap(([folder, row]) => row.map((to) => `${folder} ${to}`));
  expect(permitted.filter((p) => !used.has(p))).toEqual([]);
});

test("a row names rows above it alone: no way leads back", () => {
  const names = Object.keys(layers);
  const up = Object.entries(layers).flatMap(([folder, row]) =>
    row.filter((to) => names.indexOf(to) >= names.indexOf(folder)),
  );
  expect(up).toEqual([]);
});

function importsOf(text) {
  return [...text.matchAll(/^(?:import|export|\}) .*?"([^"]+)";$|^import "([^"]+)";$|import\("([^"]+)"\)/gm)].map(
    (m) => m[1] ?? m[2] ?? m[3],
  );
}

/** What a row of the table calls an import. */
function rowNameOf(file, name) {
  if (name.startsWith(".")) {
    const path = posix.normalize(posix.join(posix.dirname(file), name));
    return path.startsWith("../../docs/") ? "docs" : placeOf(path).folder;
  }
  const short = packageOf(name);
  return react.includes(short) ? "REACT" : short;
}
