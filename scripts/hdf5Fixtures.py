"""Makes fixtures/tiny/keras: small HDF5 files of every layout that h5py writes, each with what it holds beside it.

/usr/bin/python3 scripts/hdf5Fixtures.py (h5py 3.7 on HDF5 1.10)
"""

import json
from pathlib import Path

import h5py
import numpy as np

folder = Path(__file__).parent.parent / "fixtures" / "tiny" / "keras"
folder.mkdir(parents=True, exist_ok=True)
values = np.arange(1, 25, dtype="f4").reshape(6, 4) / 4


def low_level(file, name, layout):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    if layout == "compact":
        plist.set_layout(h5py.h5d.COMPACT)
    else:
        plist.set_chunk((4, 3))
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple(values.shape)
    data = h5py.h5d.create(file.id, name.encode(), h5py.h5t.IEEE_F32LE, space, plist)
    data.write(h5py.h5s.ALL, h5py.h5s.ALL, values)


def types(file):
    file["float32"] = values
    file["float64"] = values.astype("f8")
    file["float16"] = values.astype("f2")
    file["float32_be"] = values.astype(">f4")
    file["float16_be"] = values.astype(">f2")
    file["int32_be"] = (values * 4).astype(">i4")
    file["int8"] = (values * -4).astype("i1")
    file["uint16"] = (values * 400).astype("u2")
    file["int64"] = (values * 4).astype("i8")
    file["bool"] = values > 3
    file["scalar"] = np.float32(3.5)
    file["none"] = np.zeros((0, 4), "f4")
    file["type"] = np.dtype("<f4")
    file.create_dataset("committed", data=values, dtype=file["type"])


def layouts(file):
    file["plain"] = values
    low_level(file, "compact", "compact")
    low_level(file, "early", "early")
    file.create_dataset("chunks", data=values, chunks=(4, 3))
    file.create_dataset("gzip", data=values, chunks=(4, 3), compression="gzip")
    file.create_dataset("shuffled", data=values, chunks=(4, 3), compression="gzip", shuffle=True, fletcher32=True)
    file.create_dataset("lzf", data=np.zeros((6, 40), "f4"), chunks=(4, 40), compression="lzf")
    file.create_dataset("whole", data=values, chunks=(6, 4), compression="gzip")
    file.create_dataset("growing", data=values, chunks=(1, 3), maxshape=(None, 4))
    file.create_dataset("growing_gzip", data=values, chunks=(4, 1), maxshape=(6, None), compression="gzip")
    file.create_dataset("both", data=values, chunks=(4, 3), maxshape=(None, None), compression="gzip")
    part = file.create_dataset("part", shape=(6, 4), chunks=(2, 4), dtype="f4", fillvalue=2.5)
    part[2:3] = 1


def links(file):
    file["a/b/x"] = values
    file["soft"] = h5py.SoftLink("/a/b/x")
    file["relative"] = h5py.SoftLink("a/b")
    file["a/again"] = file["a"]
    for i in range(12):
        file[f"many/layer_{i}"] = np.full((2,), i, "f4")
        file["many"].attrs[f"note_{i}"] = f"text {i}"
    file.attrs["texts"] = ["one", "two", "three"]
    file.attrs["fixed"] = np.array([b"a", b"bcd"])


def outside(file):
    file["link"] = h5py.ExternalLink("other.h5", "/x")
    file.create_dataset("stored", shape=(6, 4), dtype="f4", external=[("/etc/passwd", 0, 96)])
    layout = h5py.VirtualLayout(shape=(6, 4), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(6, 4))
    file.create_virtual_dataset("virtual", layout)
    file.create_dataset("filtered", data=values, chunks=(4, 4), scaleoffset=2)
    file["loop"] = h5py.SoftLink("/loop")


def write(name, fill, **options):
    path = folder / f"{name}.h5"
    with h5py.File(path, "w", **options) as file:
        fill(file)
    if name == "outside":
        return
    arrays = {}
    with h5py.File(path) as file:

        def visit(name, at):
            if isinstance(at, h5py.Dataset) and at.shape is not None:
                arrays[f"/{name}"] = {"shape": list(at.shape), "values": np.ravel(at[...]).astype("f8").tolist()}

        file.visititems(visit)
    (folder / f"{name}.expected.json").write_text(json.dumps(arrays) + "\n")


write("types", types)
write("layouts", layouts)
write("layouts-latest", layouts, libver="latest")
write("links", links)
write("links-latest", links, libver="latest", userblock_size=512)
write("outside", outside)
