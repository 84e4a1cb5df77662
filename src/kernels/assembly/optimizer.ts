/**
 * Parameter updates in float32, one member of the population at a time: the operations and their order are those of
 * `src/train/ops/sgdUpdate.ts` and `adamUpdate.ts`, which also name the columns of `settings`.
 */

function storeFirst(to: usize, values: v128, count: i32): void {
  if (count >= 4) {
    v128.store(to, values);
    return;
  }
  v128.store_lane<f32>(to, values, 0);
  if (count > 1) v128.store_lane<f32>(to, values, 1, 4);
  if (count > 2) v128.store_lane<f32>(to, values, 2, 8);
}

/** d = g + decay θ; v = momentum v + intake d; θ -= rate (nesterov ? d + momentum v : v). */
export function sgdUpdate(
  parameter: usize,
  gradient: usize,
  velocity: usize,
  settings: usize, // rate, momentum, intake, decay, nesterov
  count: i32,
): void {
  const rate = v128.load32_splat(settings);
  const momentum = v128.load32_splat(settings, 4);
  const intake = v128.load32_splat(settings, 8);
  const decay = v128.load32_splat(settings, 12);
  const looksAhead = load<f32>(settings, 16) != 0;
  for (let left = count; left > 0; left -= 4) {
    const weights = v128.load(parameter);
    const descent = f32x4.add(v128.load(gradient), f32x4.mul(decay, weights));
    const speed = f32x4.add(f32x4.mul(momentum, v128.load(velocity)), f32x4.mul(intake, descent));
    const move = looksAhead ? f32x4.add(descent, f32x4.mul(momentum, speed)) : speed;
    storeFirst(velocity, speed, left);
    storeFirst(parameter, f32x4.sub(weights, f32x4.mul(rate, move)), left);
    parameter += 16;
    gradient += 16;
    velocity += 16;
  }
}

/** d = g + decay θ; m = β1 m + (1 - β1) d; s = β2 s + (1 - β2) d²; θ -= size m / (√s / rootCorrection + ε). */
export function adamUpdate(
  parameter: usize,
  gradient: usize,
  mean: usize,
  square: usize,
  settings: usize, // size, β1, 1 - β1, β2, 1 - β2, rootCorrection, ε, decay
  count: i32,
): void {
  const size = v128.load32_splat(settings);
  const keepMean = v128.load32_splat(settings, 4);
  const takeMean = v128.load32_splat(settings, 8);
  const keepSquare = v128.load32_splat(settings, 12);
  const takeSquare = v128.load32_splat(settings, 16);
  const rootCorrection = v128.load32_splat(settings, 20);
  const epsilon = v128.load32_splat(settings, 24);
  const decay = v128.load32_splat(settings, 28);
  for (let left = count; left > 0; left -= 4) {
    const weights = v128.load(parameter);
    const descent = f32x4.add(v128.load(gradient), f32x4.mul(decay, weights));
    const first = f32x4.add(f32x4.mul(keepMean, v128.load(mean)), f32x4.mul(takeMean, descent));
    const second = f32x4.add(
      f32x4.mul(keepSquare, v128.load(square)),
      f32x4.mul(takeSquare, f32x4.mul(descent, descent)),
    );
    const scale = f32x4.add(f32x4.div(f32x4.sqrt(second), rootCorrection), epsilon);
    const move = f32x4.div(f32x4.mul(size, first), scale);
    storeFirst(mean, first, left);
    storeFirst(square, second, left);
    storeFirst(parameter, f32x4.sub(weights, move), left);
    parameter += 16;
    gradient += 16;
    mean += 16;
    square += 16;
  }
}
