export type Theme = "dark" | "light";

export type Rgb = readonly [red: number, green: number, blue: number];

interface Palette {
  /** Low to high. */
  readonly sequential: readonly Rgb[];
  /** Negative, zero, positive. */
  readonly diverging: readonly Rgb[];
  readonly positive: Rgb;
  readonly negative: Rgb;
  /** Nodes that a measure does not cover, and those out of the light. */
  readonly absent: Rgb;
}

/** Blue and orange, and lightness that only rises or only falls, so that no pair is lost to a colour-blind eye. */
export const palettes: Readonly<Record<Theme, Palette>> = {
  dark: {
    sequential: [
      [52, 58, 110],
      [44, 112, 158],
      [46, 163, 150],
      [143, 205, 104],
      [253, 231, 90],
    ],
    diverging: [
      [255, 140, 62],
      [150, 112, 92],
      [84, 90, 104],
      [72, 120, 170],
      [74, 166, 255],
    ],
    positive: [74, 158, 255],
    negative: [255, 146, 72],
    absent: [44, 49, 60],
  },
  light: {
    sequential: [
      [206, 216, 236],
      [131, 186, 208],
      [48, 140, 154],
      [31, 84, 132],
      [36, 22, 84],
    ],
    diverging: [
      [196, 78, 10],
      [233, 170, 124],
      [203, 208, 217],
      [124, 170, 226],
      [18, 84, 190],
    ],
    positive: [24, 100, 220],
    negative: [214, 88, 10],
    absent: [226, 229, 235],
  },
};

/** Colour at `t` in 0..1 along evenly spaced stops. */
export function along(stops: readonly Rgb[], t: number): Rgb {
  const at = Math.min(1, Math.max(0, t)) * (stops.length - 1);
  const below = Math.min(stops.length - 2, Math.floor(at));
  const [from, to] = [stops[below]!, stops[below + 1]!];
  const mix = (i: 0 | 1 | 2): number => Math.round(from[i] + (to[i] - from[i]) * (at - below));
  return [mix(0), mix(1), mix(2)];
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red},${green},${blue})`;
}

/** Premultiplied, as sigma's blending takes it: without that, faint lines would shine. */
export function faded([red, green, blue]: Rgb, alpha: number): string {
  const part = (channel: number): number => Math.round(channel * alpha);
  return `rgba(${part(red)},${part(green)},${part(blue)},${alpha.toFixed(3)})`;
}
