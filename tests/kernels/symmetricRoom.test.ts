/** The kernels on symmetric matrices against the plain TypeScript that they stand for. */
import { describe, expect, test } from "vitest";
import { symmetricRooms } from "../../src/kernels/symmetricRoom.ts";
import { gramMatrix, wide, type StridedMatrix } from "../../src/numeric/gram.ts";
import { symmetricEigenvalues } from "../../src/numeric/symmetricEigenvalues.ts";
import { createRandom } from "../../src/random.ts";

type Fill = (at: number) => number;
const random = createRandom(3);
const fills: Readonly<Record<string, Fill>> = {
  random: () => random.normal(),
  "heavy tails": () => random.normal() / Math.abs(random.normal()),
  zeros: () => 0,
  ties: (at) => ((at % 3) - 1) * 0.5,
  "one large weight": (at) => (at === 40 ? 1e18 : random.normal()),
  denormals: (at) => (at % 2 === 0 ? 1e-45 : -3e-42),
};
const shapes = [
  [32, 32],
  [33, 128],
  [34, 129],
  [35, 301],
  [200, 61],
] as const;

function matrixOf(rows: number, columns: number, fill: Fill): StridedMatrix {
  const values = Float32Array.from({ length: rows * columns }, (_, at) => fill(at));
  return wide({ values, offset: 0, rows, columns, rowStride: columns, columnStride: 1 });
}

describe.each(Object.entries(fills))("%s", (_, fill) => {
  test.each(shapes)("%i x %i", (rows, columns) => {
    const matrix = matrixOf(rows, columns, fill);
    const n = matrix.rows;
    const room = symmetricRooms()(n)!;
    const plainGram = gramMatrix(matrix, 2);
    const gram = gramMatrix(matrix, 2, room.gram);
    // Sums in another order: of products whose magnitudes add up to no more than the larger of two diagonal entries.
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const scale = Math.max(plainGram[i * n + i]!, plainGram[j * n + j]!);
        const distance = Math.abs(gram[i * n + j]! - plainGram[i * n + j]!);
        expect(distance).toBeLessThanOrEqual(1e-14 * scale);
      }
    }
    const plain = symmetricEigenvalues(plainGram, n);
    const found = symmetricEigenvalues(gram, n, room.reduction);
    // A few units in the last place of the largest, twice.
    const largest = plain.at(-1)!;
    found.forEach((value, i) =>
      expect(Math.abs(value - plain[i]!)).toBeLessThanOrEqual(1e-13 * largest),
    );
  });
});

test("a room that was used gives the same bytes as a fresh one", () => {
  const roomFor = symmetricRooms();
  const eigenvaluesIn = (matrix: StridedMatrix, own: typeof roomFor): Float64Array => {
    const room = own(matrix.rows)!;
    return symmetricEigenvalues(gramMatrix(matrix, 1, room.gram), matrix.rows, room.reduction);
  };
  const [large, small] = [90, 41].map((rows) => matrixOf(rows, 150, () => random.normal()));
  eigenvaluesIn(large!, roomFor);
  const again = eigenvaluesIn(small!, roomFor);
  expect(again).toEqual(eigenvaluesIn(small!, symmetricRooms()));
});

test("small matrices get no room", () => {
  expect(symmetricRooms()(31)).toBeNull();
});
