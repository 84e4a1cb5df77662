/**
 * Blocks of 256 elements in parts of 16 or 32, whose scales are quantised themselves.
 * Source: the block structures of ggml (ggml-common.h, QK_K = 256).
 */
import { halfAt, unevenLevels, type Dequantise } from "./blocks.ts";

/** scale · q − least of each 16; both 4 bits of a half each. */
export const q2K: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at + 80);
  const least = halfAt(bytes, at + 82);
  for (let i = 0; i < 256; i++) {
    const part = bytes[at + (i >> 4)]!;
    const q = twoBits(bytes, at + 16, i);
    values[to + i] = scale * (part & 15) * q - least * (part >>> 4);
  }
};

/** scale · (q − 4), the third bits before the rest; scales of 6 bits. */
export const q3K: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at + 108);
  for (let i = 0; i < 256; i++) {
    const part = i >> 4;
    const four = bytes[at + 96 + (part & 7)]! >>> (part < 8 ? 0 : 4);
    const two = bytes[at + 104 + (part & 3)]! >>> (2 * (part >> 2));
    const own = ((four & 15) | ((two & 3) << 4)) - 32;
    const third = (bytes[at + (i & 31)]! >>> (i >> 5)) & 1;
    values[to + i] = scale * own * (twoBits(bytes, at + 32, i) - (third === 1 ? 0 : 4));
  }
};

/** Element i of 256 in 64 bytes: of each 128, bit pairs of 32 bytes, the lowest first. */
function twoBits(bytes: Uint8Array, at: number, i: number): number {
  return (bytes[at + 32 * (i >> 7) + (i & 31)]! >>> (2 * ((i >> 5) & 3))) & 3;
}

/** scale · q − least of each 32. */
export const q4K: Dequantise = (bytes, at, values, to) => {
  withScales(bytes, at, (part, scale, least) => {
    const from = at + 16 + 32 * (part >> 1);
    const shift = 4 * (part & 1);
    for (let l = 0; l < 32; l++) {
      values[to + 32 * part + l] = scale * ((bytes[from + l]! >>> shift) & 15) - least;
    }
  });
};

/** The same with a fifth bit: bit `part` of 32 bytes before the rest. */
export const q5K: Dequantise = (bytes, at, values, to) => {
  withScales(bytes, at, (part, scale, least) => {
    const from = at + 48 + 32 * (part >> 1);
    const shift = 4 * (part & 1);
    for (let l = 0; l < 32; l++) {
      const fifth = (bytes[at + 16 + l]! >>> part) & 1;
      const q = ((bytes[from + l]! >>> shift) & 15) | (fifth << 4);
      values[to + 32 * part + l] = scale * q - least;
    }
  });
};

/** Eight pairs of 6 bits in 12 bytes: four whole ones, then the lower halves of four more, whose top bits are the first's. */
function withScales(
  bytes: Uint8Array,
  at: number,
  visit: (part: number, scale: number, least: number) => void,
): void {
  const scale = halfAt(bytes, at);
  const least = halfAt(bytes, at + 2);
  const packed = at + 4;
  for (let part = 0; part < 8; part++) {
    const low = bytes[packed + part]!;
    if (part < 4) visit(part, scale * (low & 63), least * (bytes[packed + part + 4]! & 63));
    else {
      const pair = bytes[packed + part + 4]!;
      const scaleTop = bytes[packed + part - 4]! >>> 6;
      visit(
        part,
        scale * ((pair & 15) | (scaleTop << 4)),
        least * ((pair >>> 4) | ((low >>> 6) << 4)),
      );
    }
  }
}

/** scale · (q − 32) of each 16, scales of 8 bits. */
export const q6K: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at + 208);
  for (let i = 0; i < 256; i++) {
    const half = i >> 7;
    const quarter = (i >> 5) & 3;
    const l = i & 31;
    const four = bytes[at + 64 * half + 32 * (quarter & 1) + l]! >>> (quarter < 2 ? 0 : 4);
    const two = bytes[at + 128 + 32 * half + l]! >>> (2 * quarter);
    const own = (bytes[at + 192 + (i >> 4)]! << 24) >> 24;
    values[to + i] = scale * own * (((four & 15) | ((two & 3) << 4)) - 32);
  }
};

/** scale · q, the scale a whole float. */
export const q8K: Dequantise = (bytes, at, values, to) => {
  const scale = new DataView(bytes.buffer, bytes.byteOffset + at, 4).getFloat32(0, true);
  for (let i = 0; i < 256; i++) values[to + i] = scale * ((bytes[at + 4 + i]! << 24) >> 24);
};

/** scale · level of each 32, scales of 6 bits. */
export const iq4Xs: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at);
  const high = bytes[at + 2]! | (bytes[at + 3]! << 8);
  for (let i = 0; i < 256; i++) {
    const part = i >> 5;
    const low = (bytes[at + 4 + (part >> 1)]! >>> (4 * (part & 1))) & 15;
    const own = (low | (((high >>> (2 * part)) & 3) << 4)) - 32;
    const pair = bytes[at + 8 + 16 * part + (i & 15)]!;
    values[to + i] = scale * own * unevenLevels[(i & 16) === 0 ? pair & 15 : pair >>> 4]!;
  }
};

/** scale · (q − 1) of three values, five of them in a byte as a fraction of 256 in base 3. */
export const tq1: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at + 52);
  const put = (from: number, width: number, digits: number, start: number): number => {
    for (let digit = 0; digit < digits; digit++) {
      for (let j = 0; j < width; j++) {
        const fraction = (bytes[at + from + j]! * 3 ** digit) & 255;
        values[to + start + digit * width + j] = scale * (((fraction * 3) >> 8) - 1);
      }
    }
    return start + digits * width;
  };
  put(48, 4, 4, put(32, 16, 5, put(0, 32, 5, 0)));
};

/** scale · (q − 1), two bits each. */
export const tq2: Dequantise = (bytes, at, values, to) => {
  const scale = halfAt(bytes, at + 64);
  for (let i = 0; i < 256; i++) values[to + i] = scale * (twoBits(bytes, at, i) - 1);
};
