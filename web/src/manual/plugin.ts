// Lets pages import the manuals of docs/manual. It runs while the pages are built; the library that reads Markdown is
// not shipped.
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Plugin } from "vite";
import { render } from "./markdown.ts";
import { webpSize } from "./webp.ts";

/**
 * Turns `import manual from ".../NAME.ja.md"` into a {@link Manual} whose pictures are assets named by their content.
 */
export function manuals(): Plugin {
  return {
    name: "manuals",
    transform(text, id) {
      if (!id.endsWith(".ja.md")) {
        return null;
      }
      const imports: string[] = [];
      const manual = render(text, (path) => {
        const file = resolve(dirname(id), path);
        if (!existsSync(file)) {
          // from pages that were built, so this must not fail
          this.warn(`${path} is not there yet: make manual takes it`);
          return { url: "", width: 0, height: 0 };
        }
        imports.push(`import picture${imports.length} from ${JSON.stringify(`./${path}`)};`);
        return { url: mark(imports.length - 1), ...webpSize(readFileSync(file)) };
      });
      const code = JSON.stringify(manual).replaceAll(marks, (_, number: string) => `"+picture${number}+"`);
      return { code: `${imports.join("\n")}\nexport default ${code};\n`, map: null };
    },
  };
}

const mark = (number: number): string => `@@picture ${number}@@`;
const marks = /@@picture (\d+)@@/g;
