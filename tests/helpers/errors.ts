import { expect } from "vitest";
import { isWeightGraphError, type ErrorCode, type WeightGraphError } from "../../src/errors.ts";

/** What `call` throws, once it is known to be ours and of `code`. */
export function thrownBy(call: () => unknown, code: ErrorCode): WeightGraphError {
  let caught: unknown;
  try {
    call();
  } catch (error) {
    caught = error;
  }
  if (!isWeightGraphError(caught, code)) {
    expect.fail(`expected ${code}, got ${caught instanceof Error ? caught.message : "no error"}`);
  }
  return caught;
}
