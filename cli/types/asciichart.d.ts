declare module "asciichart" {
  /** Draws one or more series of equal length with box-drawing characters. */
  export function plot(
    series: readonly number[] | readonly (readonly number[])[],
    options?: { readonly height?: number; readonly format?: (value: number) => string },
  ): string;
}
