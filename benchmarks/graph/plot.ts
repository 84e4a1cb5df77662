/** How time grows with the number of edges, by measure and tool, as one SVG: logarithmic both ways. */
import * as Plot from "@observablehq/plot";
import { plotGrid, plotSvg } from "../../cli/report/plotSvg.ts";
import { median, type Result } from "./race.ts";

const panels = ["strengths", "eigenvector", "k-core", "core"];
const [width, height] = [420, 260];

export function growthPlot(results: readonly Result[]): string {
  const timed = results
    .filter(({ weights, seconds }) => weights === "gaussian" && seconds.length > 0)
    .filter(({ network }) => !network.includes(" x "))
    .map((own) => ({ ...own, time: median(own.seconds) }))
    .toSorted((a, b) => a.edges - b.edges);
  const tools = [...new Set(timed.map(({ tool }) => tool))];
  const svgs = panels.map((measure) => {
    const data = timed.filter((own) => own.measure === measure);
    return plotSvg({
      width,
      height,
      marginLeft: 56,
      marginRight: 72,
      x: { type: "log", label: "edges", domain: [4e4, 2e8], ticks: 4, grid: true },
      y: { type: "log", label: "seconds", domain: [1e-5, 1e2], ticks: 7, grid: true },
      color: { domain: tools, scheme: "tableau10" },
      marks: [
        Plot.line(data, { x: "edges", y: "time", stroke: "tool", z: "tool" }),
        Plot.dot(data, { x: "edges", y: "time", fill: "tool", r: 2.5 }),
        Plot.text(
          data,
          Plot.selectLast({
            x: "edges",
            y: "time",
            z: "tool",
            text: "tool",
            fill: "tool",
            dx: 6,
            textAnchor: "start",
          }),
        ),
        Plot.text([measure], { frameAnchor: "top", dy: -14, fontWeight: "bold" }),
      ],
    });
  });
  return plotGrid(svgs, { columns: 2, width, height });
}
