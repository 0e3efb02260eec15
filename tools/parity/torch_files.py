"""Files of torch.save in all layouts, with what torch.load makes of them: test/fixtures/torch-files.json and test/fixtures/docs.

    python tools/parity/torch_files.py

Each file is small and stands there in base64, with its value as plain data: {"tensor": dtype, "shape", "data"}, {"dict": [[key, value]]},
{"list"|"tuple"|"set": …}, {"bytes": …}, {"float": "nan"|"inf"|"-inf"}, {"name": …}. src/io/torch/load-torch.test.ts reads them.
"""

import argparse
import base64
import collections
import datetime
import io
import json
import math
import pathlib
import pickle
import types
import zipfile

import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "torch-files.json"


def plain(value):
    if isinstance(value, np.ndarray) and value.dtype.kind in "UO":
        return {"name": f"numpy.ndarray of numpy.dtype('{value.dtype.str[1:] if value.dtype.kind == 'U' else 'O8'}')"}
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, np.ndarray):
        value = torch_like(value)
    if isinstance(value, torch.Tensor):
        t = value.detach()
        numbers = torch.view_as_real(t.resolve_conj()).flatten().tolist() if t.is_complex() else t.flatten().tolist()
        return {"tensor": str(t.dtype)[6:], "shape": list(t.shape), "data": [scalar(int(v) if v is True or v is False else v) for v in numbers]}
    if isinstance(value, (np.generic,)):
        return scalar(value.item())
    if isinstance(value, torch.Size):
        return {"tuple": list(value)}
    if isinstance(value, (argparse.Namespace, types.SimpleNamespace)):
        return {"dict": [[k, plain(v)] for k, v in vars(value).items()]}
    if isinstance(value, dict):
        return {"dict": [[plain(k), plain(v)] for k, v in value.items()]}
    if isinstance(value, (list, collections.deque)):
        return {"list": [plain(v) for v in value]}
    if isinstance(value, tuple):
        return {"tuple": [plain(v) for v in value]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(value)}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": list(value)}
    if isinstance(value, torch.dtype):
        return {"name": str(value)}
    if isinstance(value, torch.device):
        return {"name": f"device('{value}')"}
    if isinstance(value, pathlib.PurePath):
        return str(value)
    return scalar(value)


def torch_like(array):
    return torch.from_numpy(np.ascontiguousarray(array.astype(array.dtype.newbyteorder("="))))


def scalar(value):
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**53:
        return {"int": str(value)}
    return value


def saved(value, legacy=False, protocol=2):
    out = io.BytesIO()
    torch.save(value, out, _use_new_zipfile_serialization=not legacy, pickle_protocol=protocol)
    return out.getvalue()


def rezipped(data, method, zip64=False):
    """The same archive as other programs write it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", method) as target:
        for name in source.namelist():
            with target.open(name, "w", force_zip64=zip64) as member:
                member.write(source.read(name))
    return out.getvalue()


torch.manual_seed(0)
files = {}


def add(name, data, value):
    files[name] = {"file": base64.b64encode(data).decode(), "value": plain(value)}


DTYPES = {
    "float64": torch.randn(2, 2, dtype=torch.float64),
    "float32": torch.randn(2, 2),
    "float16": torch.randn(2, 2).half(),
    "bfloat16": torch.randn(2, 2).bfloat16(),
    "int64": torch.tensor([-(2**31), 2**31 - 1]),
    "int32": torch.tensor([-5, 7], dtype=torch.int32),
    "int16": torch.tensor([-300, 7], dtype=torch.int16),
    "int8": torch.tensor([-100, 7], dtype=torch.int8),
    "uint8": torch.tensor([200, 7], dtype=torch.uint8),
    "bool": torch.tensor([True, False]),
    "complex64": torch.tensor([1 + 2j, -0.5j]),
    "complex128": torch.tensor([1 + 2j], dtype=torch.complex128),
    "uint16": torch.tensor([65535], dtype=torch.uint16),
    "uint32": torch.tensor([4294967295], dtype=torch.uint32),
    "uint64": torch.tensor([7], dtype=torch.uint64),
    "float8_e4m3fn": torch.tensor([1.5, -448.0, 2**-9, float("nan")]).to(torch.float8_e4m3fn),
    "float8_e5m2": torch.tensor([1.5, -57344.0, 2**-16, float("inf")]).to(torch.float8_e5m2),
}
for layout in ("zip", "legacy"):
    add(f"dtypes, {layout}", saved(DTYPES, layout == "legacy"), DTYPES)

base = torch.arange(24.0).reshape(4, 6)
VIEWS = {
    "whole": base,
    "t": base.t(),
    "slice": base[1:3, ::2],
    "column": base[:, 3],
    "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 3),
    "channels last": torch.arange(24.0).reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
    "scalar": base[2, 2],
    "empty": base[:0],
    "parameter": torch.nn.Parameter(base[0]),
    "frozen": torch.nn.Parameter(base[1], requires_grad=False),
}
for layout in ("zip", "legacy"):
    add(f"views, {layout}", saved(VIEWS, layout == "legacy"), VIEWS)

NESTED = {
    "epoch": 3,
    "float": 0.25,
    "text": "é 日本",
    "none": None,
    "yes": True,
    "list": [1, [2, ["x"]]],
    "tuple": (1, (2, 3, 4, 5), ()),
    "size": torch.Size([2, 3]),
    "set": {1, 2},
    "bytes": b"\x00\xff",
    "big": 2**70,
    "negative": -(2**40),
    "inf": [float("inf"), float("-inf"), float("nan")],
    "ordered": collections.OrderedDict(a=1, b=torch.ones(1)),
    "counter": collections.Counter("aab"),
    "default": collections.defaultdict(list, a=[1]),
    "deque": collections.deque([1, 2]),
    5: "int key",
    "args": argparse.Namespace(lr=0.1, name="x"),
    "simple": types.SimpleNamespace(a=1),
    "dtype": torch.bfloat16,
    "device": torch.device("cuda:1"),
    "path": pathlib.PurePosixPath("/a/b.pt"),
    "array": np.arange(6, dtype=np.float32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)),
    "big endian": np.arange(3, dtype=">i4"),
    "ints": np.arange(3),
    "bools": np.array([True, False]),
    "texts": np.array(["x", "yz"]),
    "objects": np.array([None, "x"], dtype=object),
    "when": datetime.datetime(2024, 2, 29, 12, 30, 15, 250),
    "day": datetime.date(2024, 2, 29),
    "numbers": [np.float64(0.5), np.float32(0.25), np.int64(-7), np.bool_(True)],
}
for protocol in (1, 2, 3, 4, 5):  # torch.load itself reads no storages of protocol 0
    add(f"nested, zip, protocol {protocol}", saved(NESTED, protocol=protocol), NESTED)
add("nested, legacy", saved(NESTED, True), NESTED)

net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4])
net(torch.randn(5, 3)).sum().backward()
optimizer.step()
scheduler.step()
CHECKPOINT = {
    "epoch": 1,
    "model_state_dict": net.state_dict(),
    "optimizer_state_dict": optimizer.state_dict(),
    "scheduler": scheduler.state_dict(),
}
add("checkpoint, zip", saved(CHECKPOINT), CHECKPOINT)
add("checkpoint, legacy", saved(CHECKPOINT, True), CHECKPOINT)
parallel = {"state_dict": {f"module.{k}": v for k, v in net.state_dict().items()}}
add("data parallel", saved(parallel), parallel)

SMALL = {"w": torch.randn(2, 3), "b": torch.tensor([1.5, -2.0])}
torch.serialization.set_crc32_options(False)
add("without checksums", saved(SMALL), SMALL)
torch.serialization.set_crc32_options(True)
add("deflated", rezipped(saved(SMALL), zipfile.ZIP_DEFLATED), SMALL)
add("zip64", rezipped(saved(SMALL), zipfile.ZIP_STORED, True), SMALL)
add("a tensor alone", saved(SMALL["w"]), SMALL["w"])
arrays = {"w": np.arange(4, dtype=np.float32), "blobs": {"b": np.ones(2)}}
add("a pickle of arrays", pickle.dumps(arrays, protocol=4), arrays)


class Scripted(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv1d(1, 2, 3)
        self.norm = torch.nn.BatchNorm1d(2)
        self.register_buffer("scale", torch.tensor([2.0, 3.0]))

    def forward(self, x):
        return self.norm(self.conv(x)) * self.scale.unsqueeze(1) + torch.tensor([[0.5]])


module = Scripted().eval()
traced = torch.jit.trace(module, torch.randn(1, 1, 8))
for name, script in (("scripted", torch.jit.script(module)), ("traced", traced)):
    out = io.BytesIO()
    torch.jit.save(script, out)
    add(f"torchscript, {name}", out.getvalue(), module.state_dict())

refused = {}


def refuse(name, data, says):
    refused[name] = {"file": base64.b64encode(data).decode(), "says": says}


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("touch /tmp/nabla-was-here",)


refuse("os.system, zip", saved({"w": torch.ones(1), "x": Evil()}), "posix.system")
refuse("os.system, legacy", saved({"w": torch.ones(1), "x": Evil()}, True), "posix.system")
refuse("a module, zip", saved(net), "torch.nn.modules.container.Sequential")
refuse("a module, legacy", saved(net, True), "torch.nn.modules.container.Sequential")
refuse("an object", saved({"a": Scripted.__new__(Scripted)}), "__main__.Scripted")
refuse("a sparse tensor", saved(torch.eye(2).to_sparse()), "sparse")
refuse("a quantised tensor", saved(torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.quint8)), "quantised")
refuse("a conjugate", saved(torch.tensor([1 + 2j]).conj()), "'conj'")
refuse("cut", saved(SMALL)[:600], "no directory of an archive")
refuse("cut, legacy", saved(SMALL, True)[:-5], "goes beyond the end")

(OUT.parent / "docs" / "checkpoint.pt").write_bytes(saved(CHECKPOINT))  # read by the examples of docs/weights.md
OUT.write_text(json.dumps({"read": files, "refuse": refused}, ensure_ascii=False, indent=0) + "\n")
print(OUT, OUT.stat().st_size, len(files), len(refused))
