import { expect, test } from "vitest";
import { markup, raw } from "../../../cli/report/markup.ts";

test.each([
  { name: "angle brackets", text: "<b>", html: "&#60;b&#62;" },
  { name: "quotes and ampersand", text: `"'&`, html: "&#34;&#39;&#38;" },
  { name: "control and direction marks", text: "a\u0000\u202Eb", html: "a\\u{0}\\u{202e}b" },
])("$name are escaped", ({ text, html }) => {
  expect(markup`<i title="${text}">${text}</i>`.html).toBe(`<i title="${html}">${html}</i>`);
});

test("markup inside markup stays markup, in lists too", () => {
  const items = ["a", "<"].map((text) => markup`<li>${text}</li>`);
  expect(markup`<ul>${items}${raw("<hr>")}${3}</ul>`.html).toBe(
    "<ul><li>a</li><li>&#60;</li><hr>3</ul>",
  );
});
