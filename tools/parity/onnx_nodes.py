"""The ONNX standard's own tests of its operators, for test/onnx-nodes.test.ts: python tools/parity/onnx_nodes.py FOLDER

Needs `pip install onnx`, which makes the tests (onnx.backend.test.case.node, Apache-2.0). Writes FOLDER/<test>.onnx beside <test>.npz, which
holds in0/<input> and out0/<output>, and index.json: for each test its operators, opset, tolerances and, if it is out of scope, why; and of
each operator of the standard the versions. NABLA_ONNX_NODES=FOLDER then runs them all. A few small ones of each operator become
test/fixtures/onnx-nodes.zip, which every run of the tests goes through.
"""
import json
import pathlib
import sys
import zipfile
import numpy as np
import onnx
from onnx import TensorProto
from onnx.backend.test.case.node import collect_testcases

FOLDER = pathlib.Path(sys.argv[1])
FOLDER.mkdir(parents=True, exist_ok=True)

# what nabla's dtypes cannot express
TYPES = {
    TensorProto.STRING: "strings",
    TensorProto.COMPLEX64: "complex numbers",
    TensorProto.COMPLEX128: "complex numbers",
    TensorProto.FLOAT8E4M3FN: "float8",
    TensorProto.FLOAT8E4M3FNUZ: "float8",
    TensorProto.FLOAT8E5M2: "float8",
    TensorProto.FLOAT8E5M2FNUZ: "float8",
    getattr(TensorProto, "FLOAT8E8M0", 24): "float8",
    TensorProto.UINT4: "int4",
    TensorProto.INT4: "int4",
    getattr(TensorProto, "FLOAT4E2M1", 23): "float4",
    getattr(TensorProto, "UINT2", 25): "int2",
    getattr(TensorProto, "INT2", 26): "int2",
}


# draws with a seed: what it gives is up to the implementation
RANDOM = {
    "test_bernoulli", "test_bernoulli_double", "test_bernoulli_seed",
    "test_bernoulli_expanded", "test_bernoulli_double_expanded", "test_bernoulli_seed_expanded",
    "test_training_dropout", "test_training_dropout_default", "test_training_dropout_default_mask", "test_training_dropout_mask",
}


def types_of(graph):
    """The element types of a graph's values, and the kinds that are no tensors."""
    for info in [*graph.input, *graph.output, *graph.value_info]:
        kind = info.type.WhichOneof("value")
        yield info.type.tensor_type.elem_type if kind == "tensor_type" else kind
    for tensor in graph.initializer:
        yield tensor.data_type
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "to":
                yield attribute.i
            if attribute.HasField("t"):
                yield attribute.t.data_type
            if attribute.HasField("g"):
                yield from types_of(attribute.g)


def operators_of(nodes):
    for node in nodes:
        yield f"{node.domain}::{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from operators_of(attribute.g.node)


def plain(value):
    """NumPy arrays that every reader knows: bfloat16 and the like as float32."""
    value = onnx.numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)
    return value.astype(np.float32) if value.dtype.kind == "V" or value.dtype.name in ("bfloat16",) else value


index = {}
for case in collect_testcases(None):
    model = case.model
    why = None
    for kind in types_of(model.graph):
        if isinstance(kind, str):
            why = {"sequence_type": "sequences", "optional_type": "optional values", "map_type": "maps"}.get(kind, kind)
        elif kind in TYPES:
            why = TYPES[kind]
        if why:
            break
    names = sorted(set(operators_of(model.graph.node)))
    if any(name.startswith("ai.onnx.") for name in names):
        why = why or "another domain than the standard's"
    if case.name in RANDOM:
        why = "random numbers that the standard does not define"
    if "ImageDecoder" in names:
        why = "pictures in files: nabla/data reads them"
    if any(name.startswith("Optional") for name in names):
        why = why or "optional values"
    if any(name.startswith("Sequence") or name.endswith("Sequence") and name != "ReverseSequence" for name in names):
        why = why or "sequences"
    row = {
        "operators": names,
        "opset": {o.domain or "ai.onnx": o.version for o in model.opset_import},
        "rtol": case.rtol,
        "atol": case.atol,
    }
    if why:
        row["scope"] = why
    else:
        arrays = {}
        for number, (inputs, outputs) in enumerate(case.data_sets):
            for name, value in zip([i.name for i in model.graph.input], inputs):
                if value is not None:
                    arrays[f"in{number}/{name}"] = plain(value)
            for name, value in zip([o.name for o in model.graph.output], outputs):
                arrays[f"out{number}/{name}"] = plain(value)
        (FOLDER / f"{case.name}.onnx").write_bytes(model.SerializeToString())
        np.savez(FOLDER / f"{case.name}.npz", **arrays)
    index[case.name] = row

versions = {}
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain == "":
        versions.setdefault(schema.name, {"since": [], "gone": None})
        versions[schema.name]["since"].append(schema.since_version)
        if schema.deprecated:
            versions[schema.name]["gone"] = schema.since_version
for row in versions.values():
    row["since"] = sorted(set(row["since"]) - {row["gone"]})

document = {"onnx": onnx.__version__, "tests": index, "operators": dict(sorted(versions.items()))}
(FOLDER / "index.json").write_text(json.dumps(document, indent=0))
scoped = [row for row in index.values() if "scope" not in row]
print(f"{len(index)} tests, {len(scoped)} in scope")

# ---------------------------------------------------------------- what is committed

SMALL, EACH = 3000, 2
# of two that ask for different things, onnxruntime's is taken
DISPUTED = {"test_resize_downsample_scales_linear_align_corners", "test_resize_downsample_scales_cubic_align_corners"}
size = lambda name: sum((FOLDER / f"{name}{end}").stat().st_size for end in (".onnx", ".npz"))
chosen = []
for operator in sorted({name for row in scoped for name in row["operators"]}):
    own = [name for name, row in index.items() if "scope" not in row and row["operators"] == [operator] and name not in DISPUTED]
    own = sorted((name for name in own if size(name) <= SMALL and not ("bitcast" in name and ("int64" in name or "uint32" in name))), key=size, reverse=True)
    chosen += own[:EACH]
path = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "onnx-nodes.zip"
# one file after the other: together they compress to a third of what each of them would
rows, blob = {}, b""


def add(content):
    global blob
    blob += content
    return [len(blob) - len(content), len(content)]


for name in sorted(set(chosen)):
    rows[name] = {**{key: index[name][key] for key in ("rtol", "atol")}, "model": add((FOLDER / f"{name}.onnx").read_bytes())}
    with zipfile.ZipFile(FOLDER / f"{name}.npz") as arrays:
        rows[name]["arrays"] = {entry.removesuffix(".npy"): add(arrays.read(entry)) for entry in arrays.namelist()}
note = f"From the tests of onnx {onnx.__version__} (Apache-2.0), by tools/parity/onnx_nodes.py"
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for name, content in (("index.json", json.dumps({"note": note, "tests": rows})), ("tests.bin", blob)):
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
print(f"{len(rows)} tests in {path.name}, {path.stat().st_size} bytes")
