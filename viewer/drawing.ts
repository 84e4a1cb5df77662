import { MultiDirectedGraph } from "graphology";
import { Sigma } from "sigma";
import type { ViewEpoch, ViewStructure } from "../src/index.ts";
import { css, faded, type Rgb } from "../cli/picture/colours.ts";
import { edgeStyles, stepped } from "../cli/picture/edgeStyle.ts";

interface NodeAttributes {
  x: number;
  y: number;
  size: number;
  color: string;
}
interface EdgeAttributes {
  size: number;
  color: string;
  /** In full view; `color` is for the crowd. */
  plain: string;
}

interface DrawnEdges {
  readonly edges: ViewEpoch["edges"];
  /** How many of them, from the strongest on. */
  readonly count: number;
  readonly shows: (weight: number) => boolean;
  readonly positive: Rgb;
  readonly negative: Rgb;
}

export interface PaintedEdges {
  readonly count: number;
  /** Sum of their |w|. */
  readonly absoluteSum: number;
}

export interface DrawingEvents {
  enter(node: number): void;
  leave(): void;
  /** Null: beside all nodes. */
  click(node: number | null): void;
  render(): void;
}

/** Place on the stage, in CSS pixels. */
interface StagePlace {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** The picture itself: sigma over a graphology graph that holds what is drawn and nothing else. */
export interface Drawing {
  paintNodes(colour: (node: number) => Rgb, size: (node: number) => number): void;
  paintEdges(drawn: DrawnEdges): PaintedEdges;
  /** Puts one node and its drawn neighbours into the light; null lights all. */
  focus(node: number | null, shade: Rgb): void;
  /** Of a node; its largest radius, whatever its size now. */
  placeOf(node: number): StagePlace;
  /** Of a point in the structure's box. */
  placeAt(x: number, y: number): { readonly x: number; readonly y: number };
  zoom(step: "in" | "out" | "all"): void;
}

export function createDrawing(
  container: HTMLElement,
  structure: ViewStructure,
  events: DrawingEvents,
): Drawing {
  const { nodes, height } = structure;
  const graph = new MultiDirectedGraph<NodeAttributes, EdgeAttributes>();
  for (let node = 0; node < structure.nodeCount; node++) {
    const place = { x: nodes.x[node]!, y: height - nodes.y[node]! };
    graph.addNode(node, { ...place, size: nodes.radius[node]!, color: "#888" });
  }
  let focused: { readonly near: ReadonlySet<string>; readonly shade: string } | null = null;
  let focusedKey = "";

  const renderer = new Sigma<NodeAttributes, EdgeAttributes>(graph, container, {
    renderLabels: false,
    itemSizesReference: "positions",
    zoomToSizeRatioFunction: (ratio) => ratio,
    minEdgeThickness: 0.7,
    antiAliasingFeather: 1,
    stagePadding: 48,
    minCameraRatio: 0.02,
    maxCameraRatio: 4,
    // The marker of the page shows which node is meant; sigma's own hover would draw over it.
    defaultDrawNodeHover: () => undefined,
    nodeReducer: (key, data) =>
      focused === null || focused.near.has(key) ? data : { ...data, color: focused.shade },
    edgeReducer: (key, data) => {
      if (focused === null) return data;
      return graph.hasExtremity(key, focusedKey)
        ? { ...data, color: data.plain, size: data.size * 2.4 }
        : { ...data, hidden: true };
    },
  });
  renderer.on("enterNode", ({ node }) => events.enter(Number(node)));
  renderer.on("leaveNode", () => events.leave());
  renderer.on("clickNode", ({ node }) => events.click(Number(node)));
  renderer.on("clickStage", () => events.click(null));
  renderer.on("afterRender", () => events.render());

  const placeAt = (x: number, y: number): { x: number; y: number } =>
    renderer.graphToViewport({ x, y: height - y });
  return {
    paintNodes(colour, size) {
      graph.updateEachNodeAttributes(
        (key, attributes) => {
          const node = Number(key);
          return {
            ...attributes,
            color: css(colour(node)),
            size: nodes.radius[node]! * size(node),
          };
        },
        { attributes: ["color", "size"] },
      );
    },
    paintEdges(drawn) {
      graph.clearEdges();
      const painted = addEdges(graph, drawn);
      renderer.refresh();
      return painted;
    },
    focus(node, shade) {
      focusedKey = String(node);
      focused =
        node === null
          ? null
          : { near: new Set([focusedKey, ...graph.neighbors(focusedKey)]), shade: css(shade) };
      renderer.refresh({ skipIndexation: true });
    },
    placeOf(node) {
      const [x, y, radius] = [nodes.x[node]!, nodes.y[node]!, nodes.radius[node]!];
      const centre = placeAt(x, y);
      return { ...centre, radius: placeAt(x + radius, y).x - centre.x };
    },
    placeAt,
    zoom(step) {
      const camera = renderer.getCamera();
      if (step === "in") void camera.animatedZoom({ duration: 150 });
      else if (step === "out") void camera.animatedUnzoom({ duration: 150 });
      else void camera.animatedReset({ duration: 250 });
    },
  };
}

/** Weakest first, so that the strongest lie on top. */
function addEdges(
  graph: MultiDirectedGraph<NodeAttributes, EdgeAttributes>,
  { edges, count, shows, positive, negative }: DrawnEdges,
): PaintedEdges {
  const { from, to, weight } = edges;
  const styleOf = edgeStyles(edges, count);
  const painted = { count: 0, absoluteSum: 0 };
  for (let i = count - 1; i >= 0; i--) {
    const w = weight[i]!;
    if (w === 0 || !shows(w)) continue;
    const { strength, alpha } = styleOf(i);
    const colour = w > 0 ? positive : negative;
    graph.addDirectedEdgeWithKey(i, from[i]!, to[i]!, {
      size: 0.6 + 2.6 * strength,
      color: faded(colour, alpha),
      plain: faded(colour, stepped(0.45 + 0.55 * strength)),
    });
    painted.count++;
    painted.absoluteSum += Math.abs(w);
  }
  return painted;
}
