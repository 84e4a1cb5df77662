import { stat } from "node:fs/promises";
import {
  FormatError,
  graphFromMatrix,
  isGlobPattern,
  matrixFromBlocks,
  UsageError,
  type MatrixBlock,
  type Model,
} from "../src/index.ts";

/**
 * A path on the command line that leads nowhere is a wrong use, not a bad file.
 * @throws {UsageError} `FILE_NOT_FOUND`
 */
export async function checkInput(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (cause) {
    throw new UsageError("FILE_NOT_FOUND", "no such file or folder", {
      path: [path],
      cause,
      hint: "Check the path; quote it if it has spaces.",
    });
  }
}

/** The same for what may be a pattern. @throws {UsageError} `FILE_NOT_FOUND` */
export async function checkSeriesInput(path: string): Promise<void> {
  if (!isGlobPattern(path)) await checkInput(path);
}

/** @throws {FormatError} `FORMAT_NO_WEIGHTS` */
export function requireLayers(model: Model): void {
  if (model.layers.length > 0) return;
  throw new FormatError("FORMAT_NO_WEIGHTS", "no tensor in this file connects neurons", {
    path: [model.name],
    hint:
      model.warnings.map(({ message }) => message).join("; ") ||
      "A file of one-dimensional tensors, or a graph without weighted operators, has no layers.",
  });
}

/** The blocks of a matrix document, checked as a graph. @throws {GraphError} `GRAPH_MALFORMED` */
export function blocksOf(document: unknown): readonly MatrixBlock[] {
  return matrixFromBlocks(graphFromMatrix(document)).blocks;
}
