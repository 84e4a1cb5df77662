import { expect, test } from "vitest";
import {
  call,
  functional,
  input,
  keras2,
  keras3,
  layer,
  type KerasRow,
} from "../../helpers/kerasConfig.ts";
import { wiresOf } from "../../helpers/topology.ts";

type Config = Readonly<Record<string, unknown>>;

/** A node of Keras 3: its tensors first, then what is no tensor. */
function operation(
  className: string,
  name: string,
  config: Config,
  node: { args: unknown[] },
): Config {
  const own = {
    class_name: className,
    module: "keras.src.ops.numpy",
    name,
    config: { name, ...config },
  };
  return { ...own, inbound_nodes: [{ args: node.args, kwargs: {} }] };
}

const tensor = (name: string): unknown => (call(name) as { args: unknown[] }).args[0];
const slice = (start: number | null, stop: number | null): Config => ({
  class_name: "slice",
  config: { start, stop, step: null },
});
const dots = { class_name: "__ellipsis__", config: null };

const rows: readonly KerasRow[] = [
  {
    name: "Keras 3: a slice of the last axis, whose tensors note a shape beside",
    model: () =>
      keras3(
        functional(
          [
            input("in", 5),
            operation(
              "GetItem",
              "cut",
              {},
              { args: [tensor("in"), { class_name: "__tuple__", items: [dots, slice(1, 4)] }] },
            ),
            layer("Dense", "d", {}, [call("cut")]),
          ],
          ["in"],
          ["d"],
        ),
        { dense: [[3, 2]] },
      ),
    wires: ["layers/dense/vars/0: in -> layers/dense/vars/0 [in3 out2]"],
  },
  {
    name: "Keras 3: a reshape whose new shape stands in the configuration, a mean over places",
    model: () =>
      keras3(
        functional(
          [
            input("in", 6),
            layer("Dense", "d", {}, [call("in")]),
            operation("Reshape", "map", { newshape: [-1, 4, 2] }, { args: [tensor("d")] }),
            operation("Mean", "mean", { axis: 1, keepdims: false }, { args: [tensor("map")] }),
            layer("Dense", "e", {}, [call("mean")]),
          ],
          ["in"],
          ["e"],
        ),
        { dense: [[6, 8]], dense_1: [[2, 1]] },
      ),
    wires: [
      "layers/dense/vars/0: in -> layers/dense/vars/0 [in6 tap4 out2]",
      "layers/dense_1/vars/0: layers/dense/vars/0 -> layers/dense_1/vars/0 [in2 out1]",
    ],
  },
  {
    name: "TensorFlow's split: its parts are neurons of the whole",
    model: () =>
      keras2(
        functional(
          [
            input("in", 6),
            layer("TFOpLambda", "tf.split", { function: "split" }, [
              ["in", 0, 0, { num_or_size_splits: [2, 4], axis: -1 }],
            ]),
            layer("Dense", "d", {}, [[["tf.split", 0, 1, {}]]]),
          ],
          ["in"],
          ["d"],
        ),
        { d: { "d/kernel:0": [4, 1] } },
      ),
    wires: ["d/kernel:0: in -> d/kernel:0 [in4 out1]"],
  },
  {
    name: "what mixes channels begins anew and is named",
    model: () =>
      keras3(
        functional(
          [
            input("a", 4, 4),
            input("b", 4, 3),
            operation("Matmul", "product", {}, { args: [tensor("a"), tensor("b")] }),
            layer("Dense", "d", {}, [call("product")]),
          ],
          ["a", "b"],
          ["d"],
        ),
        { dense: [[3, 1]] },
      ),
    wires: ["layers/dense/vars/0: product -> layers/dense/vars/0 [in3 out1]"],
    warnings: ["TOPOLOGY_BROKEN"],
  },
  {
    name: "an operation that nobody described",
    model: () =>
      keras3(
        functional(
          [
            input("a", 4),
            operation("Bewilder", "x", {}, { args: [tensor("a")] }),
            layer("Dense", "d", {}, [call("x")]),
          ],
          ["a"],
          ["d"],
        ),
        { dense: [[4, 1]] },
      ),
    wires: ["layers/dense/vars/0: a -> layers/dense/vars/0 [in4 out1]"],
    warnings: ["OPERATOR_UNKNOWN"],
  },
];

test.each(rows)("$name", async ({ model: make, wires, warnings = [] }) => {
  const model = await make();
  expect(wiresOf(model)).toEqual(wires);
  expect(model.warnings.map(({ code }) => code)).toEqual(warnings);
});
