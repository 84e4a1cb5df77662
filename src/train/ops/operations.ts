/** Every operation, so that an engine's conformance can be asked of each. A new one is a file and a line here. */
import type { Operation } from "../ir.ts";
import { createRegistry, type Registry } from "../registry.ts";
import { adamUpdateOperation } from "./adamUpdate.ts";
import { addOperation } from "./add.ts";
import { addBiasOperation, sumToBiasOperation } from "./addBias.ts";
import { conv2dInputOperation, conv2dOperation, conv2dWeightOperation } from "./conv2d.ts";
import { countCorrectOperation } from "./countCorrect.ts";
import { denseInputOperation, denseOperation, denseWeightOperation } from "./dense.ts";
import { fillOperation } from "./fill.ts";
import { maxPool2dInputOperation, maxPool2dOperation } from "./maxPool2d.ts";
import { multiplyOperation } from "./multiply.ts";
import { reluInputOperation, reluOperation } from "./relu.ts";
import { reshapeOperation } from "./reshape.ts";
import { sgdUpdateOperation } from "./sgdUpdate.ts";
import {
  softmaxCrossEntropyInputOperation,
  softmaxCrossEntropyOperation,
} from "./softmaxCrossEntropy.ts";
import { sumMembersOperation } from "./sumMembers.ts";
import { tanhInputOperation, tanhOperation } from "./tanh.ts";

export const operations: Registry<Operation> = createRegistry("operation", [
  denseOperation,
  denseInputOperation,
  denseWeightOperation,
  conv2dOperation,
  conv2dInputOperation,
  conv2dWeightOperation,
  addBiasOperation,
  sumToBiasOperation,
  maxPool2dOperation,
  maxPool2dInputOperation,
  reluOperation,
  reluInputOperation,
  tanhOperation,
  tanhInputOperation,
  addOperation,
  multiplyOperation,
  reshapeOperation,
  sumMembersOperation,
  fillOperation,
  softmaxCrossEntropyOperation,
  softmaxCrossEntropyInputOperation,
  countCorrectOperation,
  sgdUpdateOperation,
  adamUpdateOperation,
]);
