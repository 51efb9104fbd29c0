// Rules of the house that oxlint does not have: who may import whom, how private is written, how long a line may be.
import { posix } from "node:path";
import { fault } from "./layers.js";

const COLUMNS = 120;

/** Folders of web/src import what lint/layers.js allows, and nothing else. */
const layersRule = {
  create(context) {
    const at = inSource(context.filename);
    if (at === null) {
      return {};
    }
    const check = (node) => {
      const name = node?.value;
      if (typeof name !== "string") {
        return;
      }
      const target = name.startsWith(".")
        ? { isPackage: false, name: posix.normalize(posix.join(posix.dirname(at), name)) }
        : { isPackage: true, name };
      const message = fault(at, target);
      if (message !== null) {
        context.report({ node, message });
      }
    };
    return {
      ImportDeclaration: (n) => check(n.source),
      ExportNamedDeclaration: (n) => check(n.source),
      ExportAllDeclaration: (n) => check(n.source),
      ImportExpression: (n) => check(n.source),
      TSImportType: (n) => check(n.source),
    };
  },
};

/** A file's path from web/src; null if it lies elsewhere. */
function inSource(file) {
  const marker = "/web/src/";
  const at = file.lastIndexOf(marker);
  return at < 0 ? null : file.slice(at + marker.length);
}

/** Private members are #x: what the language keeps private, not only the compiler. Constructors have no such form. */
const hashRule = {
  create(context) {
    const check = (node) => {
      if (node.accessibility === undefined || node.accessibility === null || node.kind === "constructor") {
        return;
      }
      context.report({
        node,
        message: `write #x for what is private, and nothing for the rest: not "${node.accessibility}"`,
      });
    };
    return { PropertyDefinition: check, MethodDefinition: check, AccessorProperty: check, TSParameterProperty: check };
  },
};

/** A line that is one text: a sentence of the pages, a path of an icon. In one piece it can be looked for. */
const TEXT = /^\s*([\w"]+: )?(["'/]).*\2[a-z]*[,;)]*$/;

/** Lines have at most 120 columns, but where they are one text. */
const columnsRule = {
  create(context) {
    return {
      Program() {
        for (const [i, text] of context.sourceCode.lines.entries()) {
          const columns = Array.from(text).length;
          if (columns <= COLUMNS || TEXT.test(text)) {
            continue;
          }
          const loc = { start: { line: i + 1, column: COLUMNS }, end: { line: i + 1, column: text.length } };
          context.report({ loc, message: `${columns} columns: at most ${COLUMNS}` });
        }
      },
    };
  },
};

export default {
  meta: { name: "house" },
  rules: { layers: layersRule, hash: hashRule, columns: columnsRule },
};
