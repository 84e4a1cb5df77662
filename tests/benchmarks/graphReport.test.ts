import { describe, expect, test } from "vitest";
import { ratioOf, type Result } from "../../benchmarks/graph/race.ts";
import {
  replaceSection,
  sectionOf,
  targetsOf,
  timeText,
  type Run,
} from "../../benchmarks/graph/report.ts";

const result = (own: Partial<Result>): Result => ({
  network: "4096 x 4096",
  weights: "gaussian",
  edges: 4096 ** 2,
  measure: "rewiring",
  tool: "weightgraph",
  seconds: [1, 2, 1],
  peakMb: 100,
  ...own,
});
const run = (results: readonly Result[], files: Run["files"] = []): Run => ({
  commit: "abc",
  machine: "a machine",
  node: "v20",
  versions: { numpy: "1.24" },
  results,
  files,
});
const verdict = (given: Run, what: string): unknown =>
  targetsOf(given).find((target) => target.what === what);

test("a section takes the place of its own kind and leaves the others (hand)", () => {
  const document = "# Results\n\n## One\n\nold\n\n### Part\n\nold\n\n## Two\n\nkept\n";
  expect(replaceSection(document, "One", "new")).toBe(
    "# Results\n\n## One\n\nnew\n\n## Two\n\nkept\n",
  );
  expect(replaceSection(document, "Two", "new\n")).toBe(
    "# Results\n\n## One\n\nold\n\n### Part\n\nold\n\n## Two\n\nnew\n",
  );
  const added = replaceSection(document, "Three", "new");
  expect(added).toBe(`${document}\n## Three\n\nnew\n`);
  expect(replaceSection(added, "Three", "new")).toBe(added);
});

test("a ratio is the median of the rounds' ratios, and none where one failed (hand)", () => {
  const other = result({ tool: "numpy", seconds: [6, 10, 9] });
  expect(ratioOf(result({}), other)).toBe(6);
  expect(ratioOf(result({ seconds: [] }), other)).toBeNull();
  expect(ratioOf(undefined, other)).toBeNull();
});

describe("targets", () => {
  const what = "PA rewiring, 4096 x 4096, beside numpy";

  test("met, missed and not run", () => {
    const fast = run([result({}), result({ tool: "numpy", seconds: [6, 10, 9] })]);
    expect(verdict(fast, what)).toMatchObject({ measured: "6x", met: true });
    const slow = run([result({}), result({ tool: "numpy", seconds: [4, 4, 4] })]);
    expect(verdict(slow, what)).toMatchObject({ measured: "4x", met: false });
    expect(verdict(run([]), what)).toMatchObject({ measured: null, met: null });
  });

  test("an eigenvector that failed somewhere is no residual", () => {
    const failed = result({ measure: "eigenvector", seconds: [], failure: "no" });
    const fine = result({ measure: "eigenvector", residual: 1e-12 });
    const of = "largest residual of an eigenvector";
    expect(verdict(run([fine]), of)).toMatchObject({ met: true });
    expect(verdict(run([fine, failed]), of)).toMatchObject({ met: false });
  });

  test("a command that failed meets nothing", () => {
    const bytes = 4e9;
    const files = [
      { what: "streaming strengths", bytes, seconds: 1, peakMb: 100, note: "failed: 1" },
      { what: "dd", bytes, seconds: 1, peakMb: 4 },
    ];
    const of = "cold streaming strengths of 4 GB, beside dd";
    expect(verdict(run([], files), of)).toMatchObject({ met: null });
    const ran = files.map(({ what, bytes, seconds, peakMb }) => ({ what, bytes, seconds, peakMb }));
    expect(verdict(run([], ran), of)).toMatchObject({ met: true });
  });
});

test("a failure stands where its time would", () => {
  const text = sectionOf(
    run([result({}), result({ tool: "numpy", seconds: [], failure: "over 60 s" })]),
  );
  expect(text).toMatch(/numpy +\| over 60 s/);
});

test.each([
  [123.4, "123 s"],
  [1.234, "1.23 s"],
  [0.01234, "12.3 ms"],
  [1.234e-5, "12.3 µs"],
])("%d seconds", (seconds, text) => {
  expect(timeText(seconds)).toBe(text);
});
