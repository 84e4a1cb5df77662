"""Small PyTorch files and, beside each, what its tensors are: `python3 scripts/tinyPytorch.py fixtures/tiny/pytorch` (torch 1.13, numpy).

Values are small whole numbers or halves, so that they are exact in every type. The older layout and TorchScript number their
storages by chance, so a second run gives other bytes for these.
"""
import collections
import json
import pickle
import sys
from pathlib import Path

import numpy
import torch
from torch import nn

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def counted(*shape, dtype=torch.float32, start=1):
    size = int(numpy.prod(shape))
    return (torch.arange(start, start + size, dtype=torch.float32) % 23 - 7).reshape(shape).to(dtype)


def fill(module):
    for index, own in enumerate([*module.parameters(), *module.buffers()]):
        own.data = counted(*own.shape, dtype=own.dtype, start=index)
    return module


def expected(tensors):
    def of(own):
        if isinstance(own, numpy.ndarray):
            own = torch.from_numpy(own.astype("f8"))
        if own.is_quantized and own.qscheme() == torch.per_tensor_affine:
            own = (own.int_repr().double() - own.q_zero_point()) * own.q_scale()
        elif own.is_quantized:
            own = own.dequantize()
        return {"shape": list(own.shape), "values": own.to_dense().double().flatten().tolist()}

    return {name: of(own) for name, own in tensors.items()}


def write(name, tensors, make):
    make(str(folder / name))
    text = json.dumps(expected(tensors), separators=(",", ":"))
    (folder / f"{name}.expected.json").write_text(text + "\n")


def save(name, value, tensors, **options):
    write(name, tensors, lambda path: torch.save(value, path, **options))


def picklesTo(value, protocol):
    return lambda path: Path(path).write_bytes(pickle.dumps(value, protocol=protocol))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(5, 3)
        self.lstm = nn.LSTM(3, 2)
        self.norm = nn.LayerNorm([2])
        self.up = nn.ConvTranspose1d(2, 4, 2, groups=2)
        self.out = nn.Linear(3, 5, bias=False)
        self.out.weight = self.embedding.weight
        self.register_buffer("passing", torch.ones(2, 2), persistent=False)


convolutional = fill(
    nn.Sequential(
        nn.Conv2d(2, 4, 2), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 2, groups=4), nn.Flatten(), nn.Linear(16, 3)
    )
)
recurrent = fill(Recurrent())
optimiser = torch.optim.Adam(convolutional.parameters())
convolutional(torch.ones(1, 2, 4, 4)).sum().backward()
optimiser.step()
fill(convolutional)
state = collections.OrderedDict((key, own.clone()) for key, own in convolutional.state_dict().items())
checkpoint = {
    "epoch": torch.tensor(3),
    "optimizer": optimiser.state_dict(),
    "model_ema": {key: own + 1 for key, own in state.items()},
    "model": {"module": state},
}
save("checkpoint.pt", checkpoint, state)
save("legacy.pth", checkpoint, state, _use_new_zipfile_serialization=False, pickle_protocol=4)
save("module.pt", convolutional, convolutional.state_dict())
save("recurrent.pt", recurrent, recurrent.state_dict())
write("script.pt", convolutional.state_dict(), lambda path: torch.jit.script(convolutional.eval()).save(path))


def frozen(path):
    torch.jit.freeze(torch.jit.script(nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1)).eval())).save(path)


torch.manual_seed(0)
frozen(str(folder / "frozen.pt"))
loaded = torch.jit.load(str(folder / "frozen.pt")).code_with_constants[1].const_mapping
constants = {f"CONSTANTS.{key}": own for key, own in loaded.items()}
write("frozen.pt", constants, lambda path: None)

dense = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1))
packed = torch.quantization.quantize_dynamic(fill(dense), {nn.Linear}, dtype=torch.qint8)
parts = {}
for index in (0, 2):
    weight, bias = packed[index]._weight_bias()
    parts[f"{index}._packed_params._packed_params.0"] = weight
    parts[f"{index}._packed_params._packed_params.1"] = bias
save("packed.pt", packed, parts)

base = counted(4, 6)
views = {
    "whole": base,
    "turned": base.t(),
    "rows": base[1:3],
    "columns": base[:, 2:4],
    "expanded": counted(1, 4).expand(3, 4),
    "last": counted(2, 3, 2, 2).to(memory_format=torch.channels_last),
    "bfloat": counted(2, 2, dtype=torch.bfloat16),
    "half": counted(2, 2, dtype=torch.float16),
    "double": counted(2, 2, dtype=torch.float64),
    "bytes": counted(2, 2, dtype=torch.int8),
    "flags": torch.tensor([[True, False]]),
    "wide": torch.arange(6).reshape(2, 3),
    "empty": torch.zeros(0, 3),
    "scalar": torch.tensor(3.0),
    "parameter": nn.Parameter(counted(2, 3)),
}
save("views.pt", views, views)

scales, zeros = torch.tensor([0.5, 0.25]), torch.tensor([0, 2])
quantised = {
    "tensor.weight": torch.quantize_per_tensor(counted(4, 3), 0.5, 3, torch.qint8),
    "unsigned.weight": torch.quantize_per_tensor(counted(4, 3) / 2, 0.5, 30, torch.quint8),
    "channel.weight": torch.quantize_per_channel(counted(2, 3, 1, 2) / 4, scales, zeros, 0, torch.qint8),
}
save("quantised.pt", quantised, quantised)
sparse = {
    "coordinates.weight": torch.tensor([[0, 1.5, 0], [2, 0, 3]]).to_sparse(),
    "rows.weight": torch.tensor([[0, 1.5, 0], [2, 0, 3]]).to_sparse_csr(),
}
save("sparse.pt", sparse, sparse)

arrays = {
    "a": counted(3, 2).numpy(),
    "fortran": numpy.asfortranarray(counted(2, 3).double().numpy()),
    "big": counted(2, 2).numpy().astype(">f4"),
}
for protocol in range(6):
    write(f"arrays{protocol}.pkl", arrays, picklesTo({"model": arrays, "by": "numpy"}, protocol))
write("tensors.pkl", state, picklesTo(state, 2))
