/**
 * Radix sorts of a row: two passes over digits of a key that was cut to two digits, then insertion over the exact keys, which puts
 * right what the cut left in doubt. Where that is much, all digits are sorted. Exact and stable in every case.
 *
 * A row has at least 4 elements. `room` is for tables and copies: `sortRoom` bytes and 8 for each element.
 */

/** Two tables of 2048 counts. */
export const sortRoom: usize = 16384;

/** Digits about as many as elements, so that neither counting nor clearing the tables prevails. */
function digitBits(count: i32): i32 {
  return max(8, min(11, 31 - clz(count - 1)));
}

/** From counts to places, both tables at once. */
function toPlaces(low: usize, high: usize, size: i32): void {
  let a: u32 = 0;
  let b: u32 = 0;
  for (let at: usize = 0, end = (<usize>size) << 2; at < end; at += 4) {
    const x = load<u32>(low + at);
    const y = load<u32>(high + at);
    store<u32>(low + at, a);
    store<u32>(high + at, b);
    a += x;
    b += y;
  }
}

/** The place that a table holds for a digit; it is used up. */
function take(table: usize, digit: u32): usize {
  const entry = table + ((<usize>digit) << 2);
  const place = load<u32>(entry);
  store<u32>(entry, place + 1);
  return (<usize>place) << 2;
}

function count(table: usize, digit: u32): void {
  const entry = table + ((<usize>digit) << 2);
  store<u32>(entry, load<u32>(entry) + 1);
}

/** A signed integer in the order of the float32: -0 comes before 0. */
function rank32(bits: i32): i32 {
  return bits ^ (<i32>((<u32>(bits >> 31)) >> 1));
}

/**
 * Sets `order` to the indices of `n` int64 keys in ascending order, of equal keys the earlier first. n is at most 2^21. Floats of
 * 64 bits above 0 are in the order of their bits.
 */
export function orderOf(keys: usize, n: i32, order: usize, room: usize): void {
  const end = keys + ((<usize>n) << 3);
  let low = v128.load(end - 16);
  let top = low;
  for (let at = keys; at < end - 16; at += 16) {
    const two = v128.load(at);
    low = v128.bitselect(two, low, i64x2.gt_s(low, two));
    top = v128.bitselect(two, top, i64x2.gt_s(two, top));
  }
  const least = min(i64x2.extract_lane(low, 0), i64x2.extract_lane(low, 1));
  const most = max(i64x2.extract_lane(top, 0), i64x2.extract_lane(top, 1));
  const bits = digitBits(n);
  const mask: u32 = (1 << bits) - 1;
  const shift = <u64>max(0, 64 - <i32>clz<u64>(<u64>(most - least)) - 2 * bits);
  const high = room + (sortRoom >> 1);
  clearTables(room, mask + 1);
  const cut = room + sortRoom;
  const half = cut + ((<usize>n) << 2);
  const leasts = i64x2.splat(least);
  const pairs = keys + ((<usize>(n & ~1)) << 3);
  let to = cut;
  let at = keys;
  for (; at < pairs; at += 16, to += 8) {
    const two = i64x2.shr_u(i64x2.sub(v128.load(at), leasts), <i32>shift);
    const a = <u32>i64x2.extract_lane(two, 0);
    const b = <u32>i64x2.extract_lane(two, 1);
    store<u32>(to, a);
    store<u32>(to, b, 4);
    count(room, a & mask);
    count(high, a >> bits);
    count(room, b & mask);
    count(high, b >> bits);
  }
  if (at < end) {
    const own = <u32>((<u64>(load<i64>(at) - least)) >> shift);
    store<u32>(to, own);
    count(room, own & mask);
    count(high, own >> bits);
  }
  toPlaces(room, high, mask + 1);
  for (let i = 0; i < n; i++) {
    const own = load<u32>(cut + ((<usize>i) << 2));
    store<u32>(half + take(room, own & mask), ((own >> bits) << 21) | i);
  }
  for (let at = half, end = half + ((<usize>n) << 2); at < end; at += 4) {
    const own = load<u32>(at);
    store<u32>(order + take(high, own >> 21), own & 0x1fffff);
  }
  if (shift > 0 && !insertKeys(keys, n, order)) orderByAllDigits(keys, n, order, room);
}

function clearTables(room: usize, size: i32): void {
  memory.fill(room, 0, (<usize>size) << 2);
  memory.fill(room + (sortRoom >> 1), 0, (<usize>size) << 2);
}

/** False if it gave up. */
function insertKeys(keys: usize, n: i32, order: usize): bool {
  let budget = n << 2;
  let before = load<i64>(keys + ((<usize>load<u32>(order)) << 3));
  for (let at = order + 4, end = order + ((<usize>n) << 2); at < end; at += 4) {
    const index = load<u32>(at);
    const rank = load<i64>(keys + ((<usize>index) << 3));
    if (rank >= before) {
      before = rank;
      continue;
    }
    let to = at;
    do {
      store<u32>(to, load<u32>(to - 4));
      to -= 4;
      budget--;
    } while (to > order && load<i64>(keys + ((<usize>load<u32>(to - 4)) << 3)) > rank);
    store<u32>(to, index);
    if (budget < 0) return false;
  }
  return true;
}

function orderByAllDigits(keys: usize, n: i32, order: usize, room: usize): void {
  const spare = room + sortRoom;
  for (let i = 0; i < n; i++) store<u32>(order + ((<usize>i) << 2), i);
  let from = order;
  let to = spare;
  for (let shift: u64 = 0; shift < 64; shift += 11) {
    memory.fill(room, 0, sortRoom >> 1);
    for (let i = 0; i < n; i++) count(room, digit64(keys, i, shift));
    toPlaces(room, room + (sortRoom >> 1), 2048);
    for (let at: usize = 0, end = (<usize>n) << 2; at < end; at += 4) {
      const index = load<u32>(from + at);
      store<u32>(to + take(room, digit64(keys, index, shift)), index);
    }
    const kept = from;
    from = to;
    to = kept;
  }
}

function digit64(keys: usize, index: u32, shift: u64): u32 {
  const rank = (<u64>load<i64>(keys + ((<usize>index) << 3))) ^ 0x8000000000000000;
  return <u32>((rank >> shift) & 2047);
}

/** Sets `sorted` to the `n` floats of `row` in ascending order, -0 before 0. None is NaN. */
export function sortFloats(row: usize, n: i32, sorted: usize, room: usize): void {
  const end = row + ((<usize>n) << 2);
  let low = v128.load(end - 16);
  let top = low;
  for (let at = row; at < end - 16; at += 16) {
    const four = v128.load(at);
    low = f32x4.pmin(low, four);
    top = f32x4.pmax(top, four);
  }
  const least = min(
    min(f32x4.extract_lane(low, 0), f32x4.extract_lane(low, 1)),
    min(f32x4.extract_lane(low, 2), f32x4.extract_lane(low, 3)),
  );
  const most = max(
    max(f32x4.extract_lane(top, 0), f32x4.extract_lane(top, 1)),
    max(f32x4.extract_lane(top, 2), f32x4.extract_lane(top, 3)),
  );
  const bits = digitBits(n);
  const cuts: f32 = <f32>((1 << (2 * bits)) - 4);
  const scale = cuts / (most - least);
  // Equal weights, or a spread beyond what the products below can take.
  if (!(scale > 0 && scale < Infinity)) return sortByAllDigits(row, n, sorted, room);
  const mask: u32 = (1 << bits) - 1;
  const high = room + (sortRoom >> 1);
  clearTables(room, mask + 1);
  const half = room + sortRoom;
  const leasts = f32x4.splat(least);
  const scales = f32x4.splat(scale);
  const bases = f32x4.splat(8388608);
  const whole = row + ((<usize>(n & ~3)) << 2);
  let at = row;
  for (; at < whole; at += 16) {
    const own = f32x4.add(f32x4.mul(f32x4.sub(v128.load(at), leasts), scales), bases);
    const a = <u64>i64x2.extract_lane(own, 0);
    const b = <u64>i64x2.extract_lane(own, 1);
    count(room, (<u32>a) & mask);
    count(high, ((<u32>a) & 0x7fffff) >> bits);
    count(room, (<u32>(a >> 32)) & mask);
    count(high, ((<u32>(a >> 32)) & 0x7fffff) >> bits);
    count(room, (<u32>b) & mask);
    count(high, ((<u32>b) & 0x7fffff) >> bits);
    count(room, (<u32>(b >> 32)) & mask);
    count(high, ((<u32>(b >> 32)) & 0x7fffff) >> bits);
  }
  for (; at < end; at += 4) {
    const own = cut(load<f32>(at), least, scale);
    count(room, own & mask);
    count(high, own >> bits);
  }
  toPlaces(room, high, mask + 1);
  for (let at = row; at < end; at += 4) {
    const weight = load<f32>(at);
    store<f32>(half + take(room, cut(weight, least, scale) & mask), weight);
  }
  for (let at = half, end = half + ((<usize>n) << 2); at < end; at += 4) {
    const weight = load<f32>(at);
    store<f32>(sorted + take(high, cut(weight, least, scale) >> bits), weight);
  }
  if (!insertFloats(n, sorted)) sortByAllDigits(row, n, sorted, room);
}

/** Two digits that never fall as the weight grows: adding 2^23 leaves a whole number in the low bits. */
function cut(weight: f32, least: f32, scale: f32): u32 {
  return reinterpret<u32>((weight - least) * scale + 8388608) & 0x7fffff;
}

/** False if it gave up. */
function insertFloats(n: i32, sorted: usize): bool {
  let budget = n << 2;
  let before = rank32(load<i32>(sorted));
  for (let at = sorted + 4, end = sorted + ((<usize>n) << 2); at < end; at += 4) {
    const bits = load<i32>(at);
    const rank = rank32(bits);
    if (rank >= before) {
      before = rank;
      continue;
    }
    let to = at;
    do {
      store<i32>(to, load<i32>(to - 4));
      to -= 4;
      budget--;
    } while (to > sorted && rank32(load<i32>(to - 4)) > rank);
    store<i32>(to, bits);
    if (budget < 0) return false;
  }
  return true;
}

function sortByAllDigits(row: usize, n: i32, sorted: usize, room: usize): void {
  const bytes = (<usize>n) << 2;
  const a = room + sortRoom;
  let from = row;
  let to = sorted;
  for (let shift = 0; shift < 33; shift += 11) {
    memory.fill(room, 0, sortRoom >> 1);
    for (let at: usize = 0; at < bytes; at += 4) count(room, digit32(load<i32>(from + at), shift));
    toPlaces(room, room + (sortRoom >> 1), 2048);
    for (let at: usize = 0; at < bytes; at += 4) {
      const own = load<i32>(from + at);
      store<i32>(to + take(room, digit32(own, shift)), own);
    }
    from = to;
    to = from == sorted ? a : sorted;
  }
}

function digit32(bits: i32, shift: i32): u32 {
  return (((<u32>rank32(bits)) ^ 0x80000000) >> shift) & 2047;
}
