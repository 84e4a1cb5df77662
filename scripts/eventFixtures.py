"""Writes fixtures/tiny/series/logs/train/events.out.tfevents.1700000000.host.1.0: a TensorBoard event file by Python's protobuf.

Needs python3-protobuf alone: the messages are described here, the CRC-32C is computed bit by bit.
Usage: python3 scripts/eventFixtures.py
"""

import struct
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

TYPES = {"double": 1, "float": 2, "int64": 3, "int32": 5, "string": 9, "message": 11, "bytes": 12}
MESSAGES = {
    "Event": [("wall_time", 1, "double"), ("step", 2, "int64"), ("file_version", 3, "string"), ("summary", 5, "Summary")],
    "Summary": [("value", 1, "*Value")],
    "Value": [("tag", 1, "string"), ("simple_value", 2, "float"), ("tensor", 8, "Tensor"), ("metadata", 9, "Metadata")],
    "Metadata": [("plugin_data", 1, "Plugin")],
    "Plugin": [("plugin_name", 1, "string")],
    "Tensor": [("dtype", 1, "int32"), ("tensor_shape", 2, "Shape"), ("tensor_content", 4, "bytes"), ("double_val", 6, "*double")],
    "Shape": [("dim", 2, "*Dim")],
    "Dim": [("size", 1, "int64")],
}


def message_class():
    file = descriptor_pb2.FileDescriptorProto(name="event.proto", package="weightgraph", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            plain = kind.lstrip("*")
            entry = message.field.add(name=field, number=number, label=3 if kind.startswith("*") else 1)
            entry.type = TYPES.get(plain, TYPES["message"])
            if plain not in TYPES:
                entry.type_name = f".weightgraph.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("weightgraph.Event")
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


def crc32c(data):
    total = 0xFFFFFFFF
    for byte in data:
        total ^= byte
        for _ in range(8):
            total = (total >> 1) ^ (0x82F63B78 if total & 1 else 0)
    return total ^ 0xFFFFFFFF


def masked(data):
    total = crc32c(data)
    return struct.pack("<I", (((total >> 15) | (total << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


def record(data):
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def main():
    event_class = message_class()
    events = [event_class(wall_time=1.7e9, file_version="brain.Event:2")]
    for step, (loss, accuracy) in enumerate([(2.5, 0.125), (1.25, 0.5), (float("nan"), 0.75)]):
        event = event_class(wall_time=1.7e9 + step, step=step)
        value = event.summary.value.add(tag="epoch_loss")
        value.tensor.dtype = 1
        value.tensor.tensor_shape.SetInParent()
        value.tensor.tensor_content = struct.pack("<f", loss)
        value.metadata.plugin_data.plugin_name = "scalars"
        event.summary.value.add(tag="epoch_accuracy", simple_value=accuracy)
        histogram = event.summary.value.add(tag="weights")
        histogram.tensor.dtype = 2
        histogram.tensor.tensor_shape.dim.add(size=1)
        histogram.tensor.tensor_shape.dim.add(size=3)
        histogram.tensor.double_val.extend([0, 1, step])
        if step == 0:
            histogram.metadata.plugin_data.plugin_name = "histograms"
        events.append(event)
    path = Path(__file__).parent.parent / "fixtures/tiny/series/logs/train/events.out.tfevents.1700000000.host.1.0"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(record(event.SerializeToString()) for event in events))
    print(path, path.stat().st_size)


main()
