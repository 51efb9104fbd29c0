// Manuals are Markdown in docs/manual, so that they read well in the repository. Here they become what the portal shows
// and prints.
import { Marked, type Tokens } from "marked";

/** Where a picture is served from, and its size in pixels. */
export interface Picture {
  readonly url: string;
  readonly width: number;
  readonly height: number;
}

/** A chapter begins with a heading of the second level. */
export interface Chapter {
  readonly id: string;
  readonly title: string;
}

/**
 * A manual as HTML: what stands before the first chapter, and the chapters, each a `section` with the id of its entry.
 */
export interface Manual {
  readonly title: string;
  readonly intro: string;
  readonly chapters: readonly Chapter[];
  readonly html: string;
}

/**
 * Makes a manual from its Markdown. Every picture stands in a paragraph of its own and becomes a figure with a number;
 * the title of a picture is the class of its figure: `right` and `left` let the text flow beside it, `phone` is narrow.
 * A quotation becomes a note. HTML is refused.
 */
export function render(markdown: string, picture: (path: string) => Picture): Manual {
  const marked = new Marked({ renderer: renderer(picture) });
  const tokens = marked.lexer(markdown);
  const [first] = tokens;
  if (first?.type !== "heading" || (first as Tokens.Heading).depth !== 1) {
    throw new Error("a manual begins with its title");
  }
  const parts: { title: string; tokens: typeof tokens }[] = [
    { title: first.text as string, tokens: [] as unknown as typeof tokens },
  ];
  for (const token of tokens.slice(1)) {
    if (token.type === "heading" && (token as Tokens.Heading).depth === 2) {
      parts.push({ title: token.text as string, tokens: [] as unknown as typeof tokens });
    } else {
      parts.at(-1)?.tokens.push(token);
    }
  }
  const chapters = parts.slice(1).map((p, i) => ({ id: `chapter-${i + 1}`, title: p.title }));
  const bodies = parts.map((p) => marked.parser(Object.assign(p.tokens, { links: tokens.links })));
  return {
    title: first.text as string,
    intro: bodies[0] ?? "",
    chapters,
    html: chapters.map((c, i) => chapter(c, bodies[i + 1] ?? "")).join("\n"),
  };
}

function renderer(picture: (path: string) => Picture) {
  let figures = 0;
  return {
    paragraph(token: Tokens.Paragraph): string | false {
      const [only] = token.tokens;
      if (token.tokens.length !== 1 || only?.type !== "image") {
        return false;
      }
      figures++;
      return figure(only as Tokens.Image, figures, picture((only as Tokens.Image).href));
    },
    image({ href }: Tokens.Image): string {
      throw new Error(`the picture ${href} does not stand in a paragraph of its own`);
    },
    html({ text }: Tokens.HTML | Tokens.Tag): string {
      throw new Error(`HTML in a manual: ${text}`);
    },
    blockquote(
      this: { parser: { parse(tokens: Tokens.Blockquote["tokens"]): string } },
      token: Tokens.Blockquote,
    ): string {
      return `<div class="note" role="note">${this.parser.parse(token.tokens)}</div>\n`;
    },
  };
}

function chapter({ id, title }: Chapter, body: string): string {
  const heading = `<h2 id="${id}-title">${escape(title)}</h2>`;
  return `<section class="chapter" id="${id}" aria-labelledby="${id}-title">${heading}${body}</section>`;
}

function figure(image: Tokens.Image, number: number, { url, width, height }: Picture): string {
  const name = `図${number}`;
  const size = `width="${width}" height="${height}"`;
  const kind = image.title === null || image.title === undefined ? "" : ` class="${escape(image.title)}"`;
  const shown = `<img src="${escape(url)}" ${size} alt="${name}の画面" loading="lazy">`;
  return `<figure${kind}>${shown}<figcaption>${name}　${escape(image.text)}</figcaption></figure>\n`;
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
