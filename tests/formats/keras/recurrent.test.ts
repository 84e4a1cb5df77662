import { expect, test } from "vitest";
import { coverageOf } from "../../../src/index.ts";
import {
  call,
  from,
  functional,
  input,
  keras2,
  keras3,
  layer,
  sequential,
  type KerasRow,
} from "../../helpers/kerasConfig.ts";
import { wiresOf } from "../../helpers/topology.ts";

const rows: readonly KerasRow[] = [
  {
    name: "both directions of an LSTM, forward first, whatever the order of names",
    model: () =>
      keras3(
        sequential(
          input("in", null, 3),
          layer("Bidirectional", "b", { layer: layer("LSTM", "l"), merge_mode: "concat" }),
          layer("Dense", "d"),
        ),
        {
          "bidirectional/backward_layer/cell": [[3, 8], [2, 8], [8]],
          "bidirectional/forward_layer/cell": [[3, 8], [2, 8], [8]],
          dense: [[4, 1], [1]],
        },
      ),
    wires: [
      "layers/bidirectional/forward_layer/cell/vars/0: in -> layers/bidirectional/forward_layer/cell/vars/0 [in3 tap4 out2]",
      "layers/bidirectional/forward_layer/cell/vars/1: layers/bidirectional/forward_layer/cell/vars/0 ~> layers/bidirectional/forward_layer/cell/vars/0 [in2 tap4 out2]",
      "layers/bidirectional/backward_layer/cell/vars/0: in -> layers/bidirectional/backward_layer/cell/vars/0 [in3 tap4 out2]",
      "layers/bidirectional/backward_layer/cell/vars/1: layers/bidirectional/backward_layer/cell/vars/0 ~> layers/bidirectional/backward_layer/cell/vars/0 [in2 tap4 out2]",
      "layers/dense/vars/0: layers/bidirectional/forward_layer/cell/vars/0+layers/bidirectional/backward_layer/cell/vars/0 -> layers/dense/vars/0 [in4 out1]",
    ],
  },
  {
    name: "a GRU with a bias of two axes, cells in a stack",
    model: () =>
      keras3(
        sequential(
          input("in", null, 3),
          layer("RNN", "r", {
            return_sequences: true,
            cell: {
              class_name: "StackedRNNCells",
              config: { cells: [layer("GRUCell", "x"), layer("GRUCell", "y")] },
            },
          }),
          layer("GRU", "g"),
        ),
        {
          "rnn/cell/cells/gru_cell": [
            [3, 6],
            [2, 6],
            [2, 6],
          ],
          "rnn/cell/cells/gru_cell_1": [
            [2, 12],
            [4, 12],
            [2, 12],
          ],
          "gru/cell": [
            [4, 3],
            [1, 3],
            [2, 3],
          ],
        },
      ),
    wires: [
      "layers/rnn/cell/cells/gru_cell/vars/0: in -> layers/rnn/cell/cells/gru_cell/vars/0 [in3 tap3 out2]",
      "layers/rnn/cell/cells/gru_cell/vars/1: layers/rnn/cell/cells/gru_cell/vars/0 ~> layers/rnn/cell/cells/gru_cell/vars/0 [in2 tap3 out2]",
      "layers/rnn/cell/cells/gru_cell_1/vars/0: layers/rnn/cell/cells/gru_cell/vars/0 -> layers/rnn/cell/cells/gru_cell_1/vars/0 [in2 tap3 out4]",
      "layers/rnn/cell/cells/gru_cell_1/vars/1: layers/rnn/cell/cells/gru_cell_1/vars/0 ~> layers/rnn/cell/cells/gru_cell_1/vars/0 [in4 tap3 out4]",
      "layers/gru/cell/vars/0: layers/rnn/cell/cells/gru_cell_1/vars/0 -> layers/gru/cell/vars/0 [in4 tap3 out1]",
      "layers/gru/cell/vars/1: layers/gru/cell/vars/0 ~> layers/gru/cell/vars/0 [in1 tap3 out1]",
    ],
  },
  {
    name: "attention over two heads of queries that share one of keys and values",
    model: () =>
      keras3(
        functional(
          [
            input("q", null, 4),
            input("v", null, 5),
            layer("GroupQueryAttention", "att", {}, [call("q", "v")]),
          ],
          ["q", "v"],
          ["att"],
        ),
        {
          "group_query_attention/query_dense": [
            [4, 2, 3],
            [2, 3],
          ],
          "group_query_attention/key_dense": [
            [5, 1, 3],
            [1, 3],
          ],
          "group_query_attention/value_dense": [
            [5, 1, 3],
            [1, 3],
          ],
          "group_query_attention/output_dense": [[2, 3, 4], [4]],
        },
      ),
    wires: [
      "layers/group_query_attention/query_dense/vars/0: q -> layers/group_query_attention/query_dense/vars/0 [in4 out2 out3]",
      "layers/group_query_attention/key_dense/vars/0: v -> layers/group_query_attention/key_dense/vars/0 [in5 out1 out3]",
      "layers/group_query_attention/value_dense/vars/0: v -> layers/group_query_attention/value_dense/vars/0 [in5 out1 out3]",
      "layers/group_query_attention/output_dense/vars/0: layers/group_query_attention/value_dense/vars/0 -> layers/group_query_attention/output_dense/vars/0 [in2 in3 out4]",
    ],
  },
  {
    name: "attention of Keras 2, whose values come by name",
    model: () =>
      keras2(
        functional(
          [
            input("q", null, 4),
            input("v", null, 5),
            layer("MultiHeadAttention", "m", {}, [[["q", 0, 0, { value: ["v", 0, 0] }]]]),
          ],
          ["q", "v"],
          ["m"],
        ),
        {
          m: {
            "m/query/kernel:0": [4, 2, 3],
            "m/query/bias:0": [2, 3],
            "m/key/kernel:0": [5, 2, 3],
            "m/value/kernel:0": [5, 2, 3],
            "m/attention_output/kernel:0": [2, 3, 4],
          },
        },
      ),
    wires: [
      "m/query/kernel:0: q -> m/query/kernel:0 [in4 out2 out3]",
      "m/key/kernel:0: v -> m/key/kernel:0 [in5 out2 out3]",
      "m/value/kernel:0: v -> m/value/kernel:0 [in5 out2 out3]",
      "m/attention_output/kernel:0: m/value/kernel:0 -> m/attention_output/kernel:0 [in2 in3 out4]",
    ],
  },
  {
    name: "an encoder hands its states to a decoder",
    model: () =>
      keras2(
        functional(
          [
            input("a", null, 3),
            input("b", null, 5),
            layer("LSTM", "enc", { return_state: true }, from("a")),
            layer("LSTM", "dec", { return_sequences: true }, [
              [
                [
                  "b",
                  0,
                  0,
                  {
                    initial_state: [
                      ["enc", 0, 1],
                      ["enc", 0, 2],
                    ],
                  },
                ],
              ],
            ]),
            layer("Dense", "out", {}, from("dec")),
          ],
          ["a", "b"],
          ["out"],
        ),
        {
          enc: { "enc/kernel:0": [3, 8], "enc/recurrent_kernel:0": [2, 8], "enc/bias:0": [8] },
          dec: { "dec/kernel:0": [5, 8], "dec/recurrent_kernel:0": [2, 8], "dec/bias:0": [8] },
          out: { "out/kernel:0": [2, 1] },
        },
      ),
    wires: [
      "enc/kernel:0: a -> enc/kernel:0 [in3 tap4 out2]",
      "enc/recurrent_kernel:0: enc/kernel:0 ~> enc/kernel:0 [in2 tap4 out2]",
      "dec/kernel:0: b -> dec/kernel:0 [in5 tap4 out2]",
      "dec/recurrent_kernel:0: dec/kernel:0 ~> dec/kernel:0 [in2 tap4 out2]",
      "out/kernel:0: dec/kernel:0 -> out/kernel:0 [in2 out1]",
    ],
  },
];

test.each(rows)("$name", async ({ model: make, wires, warnings = [] }) => {
  const model = await make();
  expect(wiresOf(model)).toEqual(wires);
  expect(model.warnings.map(({ code }) => code)).toEqual(warnings);
  expect(coverageOf(model).share).toBe(1);
});
