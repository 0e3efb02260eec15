"""Writes what PyTorch gives for the samples of its own operator tests (OpInfo, torch.testing._internal).

python tools/parity/opinfo/samples.py FILE [operator …]

A line of JSON each; tools/parity/opinfo/compare.mjs runs them, and makes the fixture and the docs' table of them.

A sample is {op, variant, dtype, args, kwargs, out, grads}. args begin with the input. A tensor is {t, s, b}: its dtype, its shape and its
bytes (little-endian, base64), with g where a gradient is wanted; without bytes where numbers are random. `grads` are the gradients of the sum
of all real outputs, weighted by cos(1), cos(2), …, in the order of the tensors that have g. Where float32's rounding made a result differ
visibly from the one that is computed from the same float32 numbers in float64, that one stands beside it (x). Other values that JSON lacks are
{$: kind, v}. A sample that cannot be written has `skip`, a reason.
"""
import base64
import json
import math
import pathlib
import sys
import warnings
import torch

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
from operator_tests import op_db

warnings.filterwarnings("ignore")
#: Where a tensor is, and how it lies in memory, are no arguments of nabla's.
IGNORED = {"device", "layout", "memory_format", "pin_memory", "non_blocking", "generator", "requires_grad"}
TYPES = {
    torch.float32: "f32", torch.float64: "f64", torch.float16: "f16", torch.bfloat16: "bf16", torch.int64: "i64", torch.int32: "i32",
    torch.int16: "i16", torch.int8: "i8", torch.uint8: "u8", torch.bool: "b", torch.complex64: "c64", torch.complex128: "c128",
}
NAMES = {torch.float32: "float32", torch.float64: "float64", torch.int32: "int32", torch.int64: "int32", torch.bool: "bool"}
#: Results of float32 that are this close to those of float64 need no second opinion.
CLOSE = 1e-6
#: Samples of more numbers are left out.
HUGE = 200_000


class Unwritable(Exception):
    pass


def bytes_of(t):
    t = t.detach()
    t = torch.zeros(t.shape, dtype=t.dtype) if t._is_zerotensor() else t.resolve_conj().resolve_neg().contiguous()
    if t.dtype in (torch.float16, torch.bfloat16):
        t = t.float()
    if t.is_complex():
        t = torch.view_as_real(t).contiguous()
    # one number alone may have any stride
    raw = t.clone(memory_format=torch.contiguous_format).flatten().view(torch.uint8).numpy().tobytes() if t.numel() else b""
    return base64.b64encode(raw).decode()


def written_tensor(t, is_random=False):
    if t.layout != torch.strided or t.is_quantized or t.is_nested or t.dtype not in TYPES:
        raise Unwritable(f"a tensor of layout {t.layout} and dtype {t.dtype}")
    made = {"t": TYPES[t.dtype], "s": list(t.shape)}
    if not is_random:
        made["b"] = bytes_of(t)
    if t.requires_grad:
        made["g"] = 1
    return made


def written(value):
    if isinstance(value, torch.Tensor):
        return written_tensor(value)
    if isinstance(value, (list, tuple, torch.Size)):
        return [written(v) for v in value]
    if isinstance(value, dict):
        return {k: written(v) for k, v in value.items()}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return {"$": "number", "v": str(value)} if math.isinf(value) or math.isnan(value) else value
    if isinstance(value, complex):
        return {"$": "complex", "v": [value.real, value.imag]}
    if isinstance(value, torch.dtype):
        return {"$": "dtype", "v": str(value).removeprefix("torch.")}
    if isinstance(value, slice):
        return {"$": "slice", "v": [value.start, value.stop, value.step]}
    if value is Ellipsis:
        return {"$": "ellipsis"}
    if value in (float, int, bool):
        return {"$": "dtype", "v": {float: "float64", int: "int64", bool: "bool"}[value]}
    raise Unwritable(f"a {type(value).__name__} as an argument")


def is_default(value):
    """The distance that losses use anyway, which cannot be written down."""
    return isinstance(value, torch.nn.PairwiseDistance) and (value.norm, value.eps, value.keepdim) == (2.0, 1e-6, False)


def leaves(value):
    if isinstance(value, dict):
        return leaves(list(value.values()))
    return [t for v in value for t in leaves(v)] if isinstance(value, (list, tuple)) else [value]


def tensors(value):
    return [t for t in leaves(value) if isinstance(t, torch.Tensor)]


def mapped(value, f):
    if isinstance(value, torch.Tensor):
        return f(value)
    if isinstance(value, dict):
        return {k: mapped(v, f) for k, v in value.items()}
    if isinstance(value, (list, tuple)) and not isinstance(value, torch.Size):
        made = [mapped(v, f) for v in value]
        return made if isinstance(value, list) else tuple(made)
    return value


def fresh(t):
    return t.detach().clone().requires_grad_(t.requires_grad)


def widened(t):
    wide = {torch.float32: torch.float64, torch.complex64: torch.complex128}.get(t.dtype)
    return t.detach().clone().to(wide or t.dtype).requires_grad_(t.requires_grad)


def computed(op, args, kwargs):
    """The outputs, one after the other, and the gradients of the tensors that want one."""
    torch.manual_seed(0)
    result = op(*args, **kwargs)
    outputs = leaves(result)
    trained = [y for y in tensors(outputs) if y.requires_grad and (y.is_floating_point() or y.is_complex())]
    given = [t for t in tensors([args, kwargs]) if t.requires_grad]
    gradients = []
    if trained and given:
        real = [torch.view_as_real(y.resolve_conj()) if y.is_complex() else y for y in trained]
        weights = [torch.cos(torch.arange(y.numel(), dtype=torch.float64) + 1).reshape(y.shape).to(y.dtype) for y in real]
        sum((y * w).sum() for y, w in zip(real, weights)).backward()
        gradients = [t.grad for t in given]
    return outputs, gradients


def is_close(a, b):
    a, b = a.detach().double(), b.detach().double()
    return a.shape == b.shape and torch.allclose(a, b, rtol=CLOSE, atol=CLOSE, equal_nan=True)


def beside(entry, narrow, wide):
    """With the more exact result, where it differs."""
    if isinstance(narrow, torch.Tensor) and isinstance(wide, torch.Tensor) and narrow.is_floating_point() and narrow.shape == wide.shape:
        if not is_close(narrow, wide):
            entry["x"] = bytes_of(wide.double())
    return entry


def random_ones(op, args, kwargs, outputs):
    """Which outputs are random numbers: those that change with the seed (a few draws of few may be the same)."""
    found = [False] * len(outputs)
    plain = torch.manual_seed
    for seed in range(1, 30):
        again = mapped((args, kwargs), fresh)
        plain(seed)
        torch.manual_seed = lambda _, seed=seed: plain(seed)  # some operators of the tests set a seed themselves
        try:
            other = leaves(op(*again[0], **again[1]))
        finally:
            torch.manual_seed = plain
        for i, (a, b) in enumerate(zip(outputs, other)):
            found[i] |= isinstance(a, torch.Tensor) and (a.shape != b.shape or not torch.equal(torch.nan_to_num(a), torch.nan_to_num(b)))
        if all(found):
            break
    return found


RANDOM_NAMES = ("rand", "normal", "uniform", "cauchy", "exponential", "geometric", "bernoulli", "multinomial", "dropout", "empty", "rrelu",
                "fractional", "multi_head", "scaled_dot", "resize_")


def sample_row(op, sample, dtype):
    row = {"op": op.name, "variant": op.variant_test_name, "dtype": NAMES[dtype]}
    args = (sample.input, *sample.args)
    kwargs = {k: v for k, v in sample.kwargs.items() if k not in IGNORED and not is_default(v)}
    try:
        row["args"], row["kwargs"] = written(args), written(kwargs)
    except Unwritable as problem:
        return row | {"skip": str(problem)}
    if size([row["args"], row["kwargs"]]) > HUGE:
        return {k: row[k] for k in ("op", "variant", "dtype")} | {"skip": f"more than {HUGE} numbers"}
    call = mapped((args, sample.kwargs), fresh)
    try:
        outputs, gradients = computed(op, *call)
    except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError) as problem:
        return row | {"skip": f"PyTorch refuses it: {str(problem).splitlines()[0]}"}
    is_random = [False] * len(outputs)
    if any(name in op.name for name in RANDOM_NAMES):
        is_random = random_ones(op, *mapped((args, sample.kwargs), fresh), outputs)
        if any(is_random):
            gradients = []
    try:
        row["out"] = [written_tensor(y.detach(), r) if isinstance(y, torch.Tensor) else written(y) for y, r in zip(outputs, is_random)]
        row["grads"] = [None if g is None else written(g) for g in gradients]
    except Unwritable as problem:
        return row | {"skip": str(problem)}
    if dtype == torch.float32 and not any(is_random):
        try:
            wide_outputs, wide_gradients = computed(op, *mapped((args, sample.kwargs), widened))
        except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError):
            return row
        row["out"] = [beside(e, y, w) for e, y, w in zip(row["out"], outputs, wide_outputs)]
        row["grads"] = [e if e is None else beside(e, g, w) for e, g, w in zip(row["grads"], gradients, wide_gradients)]
    return row


def dtypes_of(op):
    floats = [d for d in (torch.float32, torch.float64) if d in op.dtypes]
    return floats or [d for d in (torch.int32, torch.int64, torch.bool) if d in op.dtypes][:1]


def rows_of(op):
    for dtype in dtypes_of(op):
        torch.manual_seed(0)
        trains = op.supports_autograd and dtype.is_floating_point
        try:
            for sample in op.sample_inputs("cpu", dtype, requires_grad=trains):
                yield sample_row(op, sample, dtype)
        except Exception as problem:  # a generator of samples that does not work on this machine
            yield {"op": op.name, "variant": op.variant_test_name, "dtype": NAMES[dtype], "skip": f"no samples: {str(problem).splitlines()[0]}"}


def size(value):
    if isinstance(value, dict):
        return math.prod(value["s"]) if "t" in value and "s" in value else sum(map(size, value.values()))
    return sum(map(size, value)) if isinstance(value, list) else 0


def line(row):
    return json.dumps(row, separators=(",", ":")) + "\n"


def write_all(path, names):
    count = {}
    with open(path, "w", encoding="utf-8") as file:
        file.write(line({"torch": torch.__version__.split("+")[0]}))
        for op in op_db:
            if names and op.name not in names:
                continue
            made = 0
            for row in rows_of(op):
                file.write(line(row))
                made += 1
            if made == 0:
                file.write(line({"op": op.name, "variant": op.variant_test_name, "skip": "no samples in float32, float64, int32 or bool"}))
            count[op.name] = count.get(op.name, 0) + made
            print(op.name, op.variant_test_name, made, file=sys.stderr, flush=True)
    print(len(count), "operators,", sum(count.values()), "samples,", pathlib.Path(path).stat().st_size, "bytes")


if __name__ == "__main__":
    write_all(sys.argv[1], set(sys.argv[2:]))
