/** Softmax and cross-entropy of logits `[blocks][classes][8]`, and their gradient. */
import { exponential } from "./activation";

/**
 * Writes the softmax and returns the sum over the batch of -log softmax[label], in float64. The highest logit is subtracted
 * first. A label outside 0..classes-1 gives NaN.
 */
export function softmaxCrossEntropy(
  probabilities: usize,
  logits: usize,
  labels: usize, // [batch] int32
  classes: i32,
  batch: i32,
): f64 {
  let total: f64 = 0;
  const blockBytes = (<usize>classes) << 5;
  for (let first = 0; first < batch; first += 8) {
    softmaxOfFour(probabilities, logits, classes);
    softmaxOfFour(probabilities + 16, logits + 16, classes);
    const present = min(8, batch - first);
    for (let lane = 0; lane < present; lane++, labels += 4) {
      total += surprise(logits + (lane << 2), load<u32>(labels), classes);
    }
    logits += blockBytes;
    probabilities += blockBytes;
  }
  return total;
}

/** `dx = factor · (softmax - one-hot)`, zero in the lanes beyond the batch. */
export function softmaxCrossEntropyGradient(
  dx: usize,
  probabilities: usize,
  labels: usize,
  classes: i32,
  batch: i32,
  factor: f32,
): void {
  const factors = f32x4.splat(factor);
  const blockBytes = (<usize>classes) << 5;
  for (let first = 0; first < batch; first += 8, dx += blockBytes, probabilities += blockBytes) {
    for (let at: usize = 0; at < blockBytes; at += 16) {
      v128.store(dx + at, f32x4.mul(factors, v128.load(probabilities + at)));
    }
    const present = min(8, batch - first);
    for (let lane = 0; lane < present; lane++, labels += 4) {
      const label = load<u32>(labels);
      const to = dx + (lane << 2) + ((<usize>label) << 5);
      if (label < <u32>classes) store<f32>(to, load<f32>(to) - factor);
    }
    for (let lane = present; lane < 8; lane++) {
      for (let k = 0; k < classes; k++) store<f32>(dx + (lane << 2) + (k << 5), 0);
    }
  }
}

/** The softmax of four of the eight lanes. */
function softmaxOfFour(to: usize, logits: usize, classes: i32): void {
  let highest = v128.load(logits);
  for (let k = 1; k < classes; k++) highest = f32x4.max(highest, v128.load(logits + (k << 5)));
  let sum = f32x4.splat(0);
  for (let k = 0; k < classes; k++) {
    const power = exponential(f32x4.sub(v128.load(logits + (k << 5)), highest));
    v128.store(to + (k << 5), power);
    sum = f32x4.add(sum, power);
  }
  const share = f32x4.div(f32x4.splat(1), sum);
  for (let k = 0; k < classes; k++) {
    v128.store(to + (k << 5), f32x4.mul(v128.load(to + (k << 5)), share));
  }
}

/** log Σ e^logit - logit[label] of one lane. */
function surprise(logits: usize, label: u32, classes: i32): f64 {
  if (label >= <u32>classes) return NaN;
  let highest = load<f32>(logits);
  for (let k = 1; k < classes; k++) highest = max(highest, load<f32>(logits + (k << 5)));
  let sum: f64 = 0;
  for (let k = 0; k < classes; k++) {
    const power = exponential(f32x4.splat(load<f32>(logits + (k << 5)) - highest));
    sum += <f64>f32x4.extract_lane(power, 0);
  }
  return logarithm(sum) + <f64>highest - <f64>load<f32>(logits + ((<usize>label) << 5));
}

/** Natural logarithm of a normal number >= 1: m 2^e with m in [1, 2), and 2 artanh((m - 1) / (m + 1)) as a series; NaN stays. */
function logarithm(x: f64): f64 {
  if (!(x < Infinity)) return x;
  const bits = reinterpret<u64>(x);
  const exponent = <i32>(bits >> 52) - 1023;
  const mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  const ratio = (mantissa - 1) / (mantissa + 1);
  const square = ratio * ratio;
  let sum: f64 = 0;
  for (let k = 31; k >= 1; k -= 2) sum = sum * square + 1.0 / <f64>k;
  return <f64>exponent * 0.6931471805599453 + 2 * ratio * sum;
}
