"""Writes fixtures/tiny/gguf by the gguf package: a block of every type that is read, and what the package makes of it.

Usage: python3 -m venv V; V/bin/pip install gguf==0.19.0; V/bin/python scripts/ggufFixtures.py
"""

import pathlib

import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import GGUFWriter
from gguf.constants import GGML_QUANT_SIZES
from gguf.quants import dequantize

folder = pathlib.Path(__file__).parent.parent / "fixtures" / "tiny" / "gguf"
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(7)

# Where the 16-bit scales of a block stand; every other byte is random.
scales = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.IQ4_NL: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
    T.IQ4_XS: [0], T.TQ1_0: [52], T.TQ2_0: [64], T.MXFP4: [],
}


def blocks(kind):
    elements, size = GGML_QUANT_SIZES[kind]
    rows = 256 // elements
    data = random.integers(0, 256, (rows, size), dtype=np.uint8)
    for at in scales[kind]:
        half = (random.standard_normal(rows) / 8).astype("<f2")
        data[:, at : at + 2] = half.view(np.uint8).reshape(rows, 2)
    if kind == T.MXFP4:
        data[:, 0] = random.integers(118, 136, rows)
    return data.reshape(1, rows * size)


def writer(name):
    file = GGUFWriter(folder / name, "llama")
    file.add_name("a block of each type")
    file.add_array("tokens", [f"t{i}" for i in range(70)])
    file.add_array("short", [1, 2, 3])
    file.add_float64("pi", 3.25)
    file.add_bool("yes", True)
    return file


quantised, expected = writer("types.gguf"), writer("values.gguf")
for kind in scales:
    data = blocks(kind)
    quantised.add_tensor(f"t.{kind.name}", data, raw_shape=(1, data.shape[1]), raw_dtype=kind)
    expected.add_tensor(f"t.{kind.name}", dequantize(data, kind).astype(np.float32))
# Blocks from tables of code words: counted, not read.
for kind in [T.IQ2_XXS, T.IQ3_S]:
    _, size = GGML_QUANT_SIZES[kind]
    quantised.add_tensor(f"t.{kind.name}", np.zeros((1, size), np.uint8), raw_shape=(1, size), raw_dtype=kind)
for kind in ["float32", "float16", "float64", "int8", "int16", "int32", "int64"]:
    quantised.add_tensor(f"plain.{kind}", np.arange(6).reshape(2, 3).astype(kind))
quantised.add_tensor("plain.bfloat16", np.array([[0, 63, 128, 63]], np.uint8), raw_shape=(1, 4), raw_dtype=T.BF16)
for file in [quantised, expected]:
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
