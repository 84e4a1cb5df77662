import { printable } from "../render.ts";

/** Markup that is safe to put into a page. Only `markup` and `raw` make it. */
export interface Markup {
  readonly html: string;
}

type Part = Markup | string | number | readonly Markup[];

/** A template whose values are escaped unless they are markup themselves; control and direction marks become visible. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return { html: strings.reduce((html, text, i) => html + htmlOf(parts[i - 1]!) + text) };
}

/** Trusted text, such as a finished drawing. */
export function raw(html: string): Markup {
  return { html };
}

function htmlOf(part: Part): string {
  if (typeof part === "number") return String(part);
  if (typeof part === "string") return escaped(part);
  return "html" in part ? part.html : part.map(({ html }) => html).join("");
}

function escaped(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
