/** Where the nodes of a layered graph stand in a picture: layers from left to right, large ones as grids. */

export interface LayerColumn {
  /** Left edge of the layer's nodes, their cells included. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface NodePlaces {
  /** x[nodeCount], y[nodeCount]: y grows downwards, all within [0, width] and [0, height]. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** radius[nodeCount]: the largest at which no two nodes touch. */
  readonly radius: Float64Array;
  readonly width: number;
  readonly height: number;
  /** One per layer. */
  readonly columns: readonly LayerColumn[];
}

const height = 1000;
/** Share of the width that nodes may take; the rest is for edges. */
const nodeShare = 0.55;
/** In cells: how far the nodes of a single column stand apart at most, and how wide that column is. */
const spread = 3.2;
const singleWidth = 1.6;
/** Radius over the distance between neighbours. */
const fill = 0.42;

/**
 * Nodes in columns, layer after layer. A layer that is too tall for one column becomes a grid, row by row; a square number of
 * nodes becomes a square, so that the pixels of an image lie as they do in the image. All grids share one cell size, the
 * largest at which the nodes leave enough room for edges. Cost: O(nodes + layers log nodes).
 */
export function layerColumns(layers: readonly { readonly size: number }[]): NodePlaces {
  const aspect = Math.min(3.2, Math.max(1.7, 1.4 + 0.06 * layers.length));
  const widest = aspect * height;
  const rows = rowsThatFit(layers, nodeShare * widest);
  const cell = height / rows;
  const grids = layers.map(({ size }) => gridOf(size, rows));
  const used = grids.reduce((sum, grid) => sum + grid.width * cell, 0);
  const gap = layers.length < 2 ? 0 : Math.max(2 * cell, (widest - used) / (layers.length - 1));

  const nodeCount = layers.reduce((sum, { size }) => sum + size, 0);
  const x = new Float64Array(nodeCount);
  const y = new Float64Array(nodeCount);
  const radius = new Float64Array(nodeCount);
  const columns: LayerColumn[] = [];
  let node = 0;
  let left = 0;
  for (const [i, { size }] of layers.entries()) {
    const grid = grids[i]!;
    const step = grid.columns > 1 ? cell : Math.min(spread * cell, height / Math.max(1, size));
    const tall = grid.rows * step;
    const top = (height - tall) / 2;
    const largest = fill * Math.min(step, singleWidth * cell);
    for (let k = 0; k < size; k++, node++) {
      x[node] = left + (((k % grid.columns) + 0.5) * grid.width * cell) / grid.columns;
      y[node] = top + (Math.floor(k / grid.columns) + 0.5) * step;
      radius[node] = largest;
    }
    const right = left + grid.width * cell;
    columns.push({ left, right, top, bottom: top + tall });
    left = right + gap;
  }
  return { x, y, radius, width: Math.max(0, left - gap), height, columns };
}

interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** In cells. */
  readonly width: number;
}

function gridOf(size: number, rows: number): Grid {
  if (size <= rows) return { rows: size, columns: 1, width: singleWidth };
  const side = Math.round(Math.sqrt(size));
  if (side * side === size && side <= rows) return { rows: side, columns: side, width: side };
  const columns = Math.ceil(size / rows);
  return { rows: Math.ceil(size / columns), columns, width: columns };
}

/** The fewest rows, hence the largest cell, at which all layers together are no wider than `room`. */
function rowsThatFit(layers: readonly { readonly size: number }[], room: number): number {
  const widthAt = (rows: number): number =>
    layers.reduce((sum, { size }) => sum + gridOf(size, rows).width * (height / rows), 0);
  const largest = layers.reduce((most, { size }) => Math.max(most, size), 1);
  let rows = 24;
  while (rows < largest && widthAt(rows) > room) rows = Math.ceil(rows * 1.15);
  return rows;
}
