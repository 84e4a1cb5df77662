"""Writes fixtures/tiny/npz with NumPy: every kind of array that it writes. Usage: python3 scripts/numpyFixtures.py"""

import pathlib

import numpy as np
from numpy.lib import format as npy

folder = pathlib.Path(__file__).parent.parent / "fixtures" / "tiny" / "npz"
folder.mkdir(parents=True, exist_ok=True)

# Values 0 to 5 in [2, 3] (0 and 1 where it is a truth value), whichever way they are stored.
codes = ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8", "|i1", "<i2", ">i4", "<i8", "|u1", ">u2", "<u4", ">u8", "|b1"]
kinds = {}
for code in codes:
    values = np.arange(6).reshape(2, 3)
    kinds[f"c/{code.strip('|<>')}{'be' if code[0] == '>' else ''}"] = values.astype(code)
kinds["fortran/f4"] = np.asfortranarray(np.arange(6, dtype="<f4").reshape(2, 3))
kinds["fortran/f8be"] = np.asfortranarray(np.arange(6, dtype=">f8").reshape(2, 3))
kinds["scalar"] = np.float32(7.5)
kinds["vector"] = np.array([1, 2, 3], "<f4")
kinds["empty"] = np.zeros((0, 4), "<f4")
kinds["complex"] = np.array([[1 + 2j]], "<c8")
np.savez(folder / "kinds.npz", **kinds)
np.savez_compressed(folder / "packed.npz", **kinds)

# What is no number.
np.savez(
    folder / "others.npz",
    weight=np.arange(6, dtype="<f4").reshape(3, 2),
    objects=np.array([{"a": 1}, None], dtype=object),
    text=np.array(["relu", "tanh"]),
    bytes=np.array([b"ab", b"c"]),
    dates=np.array(["2020-01-01"], "datetime64[D]"),
    records=np.zeros(2, dtype=[("'shape': (9,)", "<f4"), ("b", "<i4", (2,))]),
    long=np.zeros(2, np.longdouble),
)

# The three versions of a header.
for version in [(1, 0), (2, 0), (3, 0)]:
    with open(folder / f"version{version[0]}.npy", "wb") as file:
        npy.write_array(file, np.arange(6, dtype="<f4").reshape(2, 3), version=version)
