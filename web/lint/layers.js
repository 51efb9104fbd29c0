// What a folder of web/src may import, lowest first; what is not in its row is denied. `docs` is the repository's
// folder. A package is named as far as its second slash; REACT stands for React and all that belongs to it.

/** The packages that a folder with REACT in its row may import. */
export const react = [
  "@digital-go-jp/design-tokens",
  "@mantine/core",
  "@mantine/form",
  "@mantine/hooks",
  "@mantine/notifications",
  "@tanstack/react-query",
  "@tanstack/react-router",
  "i18next",
  "react",
  "react-dom",
  "react-i18next",
];

const REACT = "REACT";

export const layers = {
  // generated, and for tests alone
  gen: [],
  vectors: ["node:fs", "node:url"],

  // named as the Go packages
  typed: [],
  keys: [],
  wire: [],
  codec: [],
  draw: [],
  link: [],
  cert: [],
  grant: ["cert"],
  seal: ["cert", "grant", "@noble/post-quantum"],
  input: ["keys", "wire"],

  engine: ["codec", "draw", "input", "link", "seal", "wire"],
  api: ["gen", "@bufbuild/protobuf"],
  device: ["api", "cert", "gen", "typed"],

  // pages: none knows another but where it says so
  viewer: ["api", "cert", "codec", "device", "engine", "gen", "grant", "input", "keys", "seal", "wire"],
  kit: ["api", "gen", "typed", REACT, "uqr"],
  telework: ["api", "gen", "kit", "link", REACT],
  approval: ["api", "gen", "kit", "telework", REACT],
  policy: ["api", "gen", "kit", REACT],
  console: ["api", "device", "gen", "kit", "typed", REACT, "zod"],
  manual: ["docs", "kit", REACT, "marked", "node:fs", "node:path", "vite"],
  portal: ["api", "approval", "console", "device", "gen", "kit", "manual", "policy", "telework", REACT, "zod"],
};

/** What a file of web/src is: of which folder, and whether it is there for tests. Paths are from web/src. */
export function placeOf(path) {
  const [folder = "", ...rest] = path.split("/");
  return { folder: rest.length === 0 ? "" : folder, test: folder === "vectors" || /(test|\.bench)\.tsx?$/.test(path) };
}

/**
 * Says why a file may not import something, or null if it may. `target` is a path from web/src (../ leads out of it),
 * or the name of a package.
 */
export function fault(from, target) {
  const { folder, test } = placeOf(from);
  const row = layers[folder];
  if (row === undefined) {
    return `no folder of lint/layers.js: ${folder || "web/src itself"}`;
  }
  if (target.isPackage) {
    return packageFault(row, folder, test, target.name);
  }
  const to = placeOf(target.name);
  if (test) {
    return null;
  } // tests look at what they like
  if (to.test) {
    return "test helpers are for tests";
  }
  const name = target.name.startsWith("../../docs/") ? "docs" : to.folder;
  return name === folder || row.includes(name) ? null : `${folder} may not import ${name}: see lint/layers.js`;
}

function packageFault(row, folder, test, name) {
  const short = packageOf(name);
  const allowed = row.flatMap((r) => (r === REACT ? react : [r]));
  return test || allowed.includes(short) ? null : `${folder} may not import ${short}: see lint/layers.js`;
}

/** The package that an import names: without the path in it. */
export function packageOf(name) {
  return name.startsWith("node:") ? name : name.split("/", name.startsWith("@") ? 2 : 1).join("/");
}
