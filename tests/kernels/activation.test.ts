import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/random.ts";
import { draw, withKernels, type Workbench } from "./workbench.ts";

const special = [0, -0, 1e-40, -1e-40, 1e-20, 0.624999, 0.625, -0.625, 9, -9, 100, -100, Infinity];
const spread = Array.from({ length: 4000 }, (_, i) => (i - 2000) / 150);
const inputs = Float32Array.from([...special, ...spread, NaN]);

function apply(
  { kernels, put, space, floats }: Workbench,
  kernel: "relu" | "tanh" | "reluGradient" | "tanhGradient",
  [a, b]: readonly [Float32Array, Float32Array?],
): Float32Array {
  const to = space(a.length);
  if (kernel === "relu" || kernel === "tanh") kernels[kernel](to, put(a), a.length);
  else kernels[kernel](to, put(a), put(b!), a.length);
  return floats(to, a.length);
}

describe("relu", () => {
  test("keeps what is positive and NaN", async () => {
    await withKernels((bench) => {
      expect(apply(bench, "relu", [inputs])).toEqual(inputs.map((x) => (x < 0 ? 0 : x)));
    });
  });

  test("its gradient passes where the output is positive", async () => {
    await withKernels((bench) => {
      const y = inputs.map((x) => (x < 0 ? 0 : x));
      const g = draw(createRandom(1), y.length);
      const wanted = g.map((each, i) => (y[i]! > 0 ? each : 0));
      expect(apply(bench, "reluGradient", [g, y])).toEqual(wanted);
    });
  });
});

describe("tanh", () => {
  test("is within 4e-7 of float64's, relative: six roundings of 6e-8", async () => {
    await withKernels((bench) => {
      const got = apply(bench, "tanh", [inputs]);
      inputs.forEach((x, i) => {
        const wanted = Math.tanh(x);
        if (Number.isNaN(x)) expect(got[i]).toBeNaN();
        else expect(Math.abs(got[i]! - wanted)).toBeLessThanOrEqual(4e-7 * Math.abs(wanted));
      });
    });
  });

  test("is odd and never beyond 1", async () => {
    await withKernels((bench) => {
      const got = apply(bench, "tanh", [inputs]);
      const mirrored = apply(bench, "tanh", [inputs.map((x) => -x)]);
      expect(mirrored).toEqual(got.map((y) => -y));
      expect(got.every((y) => !(Math.abs(y) > 1))).toBe(true);
    });
  });

  test("its gradient is g (1 - y²)", async () => {
    await withKernels((bench) => {
      const y = draw(createRandom(2), 37);
      const g = draw(createRandom(3), 37);
      const wanted = g.map((each, i) => each * Math.fround(1 - Math.fround(y[i]! * y[i]!)));
      expect(apply(bench, "tanhGradient", [g, y])).toEqual(wanted);
    });
  });
});
