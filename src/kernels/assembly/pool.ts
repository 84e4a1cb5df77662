/**
 * Max-pooling over windows of planes `[planes][height][width][8]`, one block of eight images. A window is cut at the border, so
 * padding never wins. `index` holds, for each output, where in its plane the maximum stood (y · width + x); the first of equals
 * wins, and NaN wins over numbers.
 */
export function maxPool(
  y: usize, // [planes][outHeight][outWidth][8]
  index: usize, // like y, int32
  x: usize, // [planes][height][width][8]
  planes: i32,
  height: i32,
  width: i32,
  outHeight: i32,
  outWidth: i32,
  kernelHeight: i32,
  kernelWidth: i32,
  strideY: i32,
  strideX: i32,
  padY: i32,
  padX: i32,
): void {
  const planeBytes = (<usize>(height * width)) << 5;
  for (let plane = 0; plane < planes; plane++, x += planeBytes) {
    for (let oy = 0; oy < outHeight; oy++) {
      const startY = oy * strideY - padY;
      const y0 = max(0, startY);
      const y1 = min(height, startY + kernelHeight);
      for (let ox = 0; ox < outWidth; ox++, y += 32, index += 32) {
        const startX = ox * strideX - padX;
        const x0 = max(0, startX);
        const x1 = min(width, startX + kernelWidth);
        let lowBest = f32x4.splat(-Infinity);
        let highBest = lowBest;
        let lowAt = i32x4.splat(y0 * width + x0);
        let highAt = lowAt;
        for (let iy = y0; iy < y1; iy++) {
          for (let ix = x0; ix < x1; ix++) {
            const at = iy * width + ix;
            const here = i32x4.splat(at);
            const low = v128.load(x + ((<usize>at) << 5));
            const high = v128.load(x + ((<usize>at) << 5), 16);
            const lowWins = v128.or(f32x4.gt(low, lowBest), f32x4.ne(low, low));
            const highWins = v128.or(f32x4.gt(high, highBest), f32x4.ne(high, high));
            lowBest = v128.bitselect(low, lowBest, lowWins);
            highBest = v128.bitselect(high, highBest, highWins);
            lowAt = v128.bitselect(here, lowAt, lowWins);
            highAt = v128.bitselect(here, highAt, highWins);
          }
        }
        v128.store(y, lowBest);
        v128.store(y, highBest, 16);
        v128.store(index, lowAt);
        v128.store(index, highAt, 16);
      }
    }
  }
}

/** `dx[index] += dy` lane by lane, after clearing dx; `planeSize` is height · width of dx, `places` that of dy. */
export function maxPoolGradient(
  dx: usize, // [planes][planeSize][8]
  dy: usize, // [planes][places][8]
  index: usize, // like dy, int32
  planes: i32,
  planeSize: i32,
  places: i32,
): void {
  const planeBytes = (<usize>planeSize) << 5;
  memory.fill(dx, 0, planeBytes * planes);
  for (let plane = 0; plane < planes; plane++, dx += planeBytes) {
    for (let place = 0; place < places; place++, dy += 32, index += 32) {
      for (let lane: usize = 0; lane < 32; lane += 4) {
        const to = dx + lane + ((<usize>load<u32>(index + lane)) << 5);
        store<f32>(to, load<f32>(to) + load<f32>(dy + lane));
      }
    }
  }
}
