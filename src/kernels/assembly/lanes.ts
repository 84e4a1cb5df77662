/**
 * Between the plain order of a batch, `[batch][features]`, and the kernels' own, `[ceil(batch / 8)][features][8]`: eight images
 * side by side, so that every kernel works on whole vectors whatever the width of a picture. Missing images of the last block
 * are zeros.
 */

/** Elements are moved as bits, so this serves int32 as well. */
export function toLanes(to: usize, from: usize, batch: i32, features: i32): void {
  const rowBytes = (<usize>features) << 2;
  for (let first = 0; first < batch; first += 8, from += rowBytes << 3) {
    const block = to + <usize>first * rowBytes;
    const present = min(8, batch - first);
    if (present < 8) memory.fill(block, 0, rowBytes << 3);
    let done = 0;
    if (present == 8) {
      for (; done + 4 <= features; done += 4) {
        const source = from + (done << 2);
        const target = block + (done << 5);
        transposeFour(target, 32, source, rowBytes);
        transposeFour(target + 16, 32, source + (rowBytes << 2), rowBytes);
      }
    }
    for (let lane = 0; lane < present; lane++) {
      const source = from + lane * rowBytes;
      const target = block + (lane << 2);
      for (let i = done; i < features; i++)
        store<u32>(target + (i << 5), load<u32>(source + (i << 2)));
    }
  }
}

/** The inverse of `toLanes`; the lanes beyond `batch` are dropped. */
export function fromLanes(to: usize, from: usize, batch: i32, features: i32): void {
  const rowBytes = (<usize>features) << 2;
  for (let image = 0; image < batch; image++, to += rowBytes) {
    const source = from + <usize>(image & ~7) * rowBytes + ((image & 7) << 2);
    for (let i = 0; i < features; i++) store<u32>(to + (i << 2), load<u32>(source + (i << 5)));
  }
}

/** Zeroes the lanes beyond the batch in its last block. */
export function clearPadding(to: usize, batch: i32, features: i32): void {
  const present = batch & 7;
  if (present == 0) return;
  const block = to + ((<usize>(batch - present) * <usize>features) << 2);
  for (let i = 0; i < features; i++) {
    memory.fill(block + ((<usize>i) << 5) + (present << 2), 0, (8 - present) << 2);
  }
}

/** Four rows of four elements become four columns. */
function transposeFour(to: usize, toBytes: usize, from: usize, fromBytes: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + fromBytes);
  const c = v128.load(from + (fromBytes << 1));
  const d = v128.load(from + fromBytes * 3);
  const abLow = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const abHigh = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cdLow = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const cdHigh = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(abLow, cdLow, 0, 1, 4, 5));
  v128.store(to + toBytes, v128.shuffle<f32>(abLow, cdLow, 2, 3, 6, 7));
  v128.store(to + (toBytes << 1), v128.shuffle<f32>(abHigh, cdHigh, 0, 1, 4, 5));
  v128.store(to + toBytes * 3, v128.shuffle<f32>(abHigh, cdHigh, 2, 3, 6, 7));
}

/**
 * Copies one block's planes into the middle of larger ones whose frame the caller has zeroed:
 * `[planes][height][width][8]` into `[planes][padHeight][padWidth][8]`, from (top, left) on.
 */
export function padPlanes(
  to: usize,
  from: usize,
  planes: i32,
  height: i32,
  width: i32,
  padHeight: i32,
  padWidth: i32,
  top: i32,
  left: i32,
): void {
  const rowBytes = (<usize>width) << 5;
  for (let plane = 0; plane < planes; plane++) {
    let target = to + ((<usize>((plane * padHeight + top) * padWidth + left)) << 5);
    for (let y = 0; y < height; y++, from += rowBytes, target += (<usize>padWidth) << 5) {
      memory.copy(target, from, rowBytes);
    }
  }
}

/**
 * Weights into the tiles that `contract` reads: `to[row / 4][o · inner + i][row % 4] = from[row, o, i]`, with the strides of
 * `from` in floats; rows beyond the last are zero.
 */
export function packTiles(
  to: usize,
  from: usize,
  rows: i32,
  outer: i32,
  inner: i32,
  rowStride: i32,
  outerStride: i32,
  innerStride: i32,
): void {
  const rowBytes = (<usize>rowStride) << 2;
  const innerBytes = (<usize>innerStride) << 2;
  for (let row = 0; row < rows; row += 4) {
    const present = min(4, rows - row);
    for (let o = 0; o < outer; o++) {
      let source = from + ((<usize>(row * rowStride + o * outerStride)) << 2);
      let i = 0;
      if (present == 4 && innerStride == 1) {
        for (; i + 4 <= inner; i += 4, source += 16, to += 64)
          transposeFour(to, 16, source, rowBytes);
      }
      for (; i < inner; i++, source += innerBytes, to += 16) {
        if (present == 4 && rowStride == 1) {
          v128.store(to, v128.load(source));
          continue;
        }
        v128.store(to, f32x4.splat(0));
        for (let r = 0; r < present; r++)
          store<f32>(to + (r << 2), load<f32>(source + r * rowBytes));
      }
    }
  }
}
