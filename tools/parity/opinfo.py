"""Writes what PyTorch gives for the samples of its own operator tests (OpInfo, torch.testing._internal): operators by name →
test/fixtures/opinfo-<name>.json, a few small samples of each; with --all FILE every sample, into FILE.

A row is [operator, arguments, options, outputs, gradients]. Arguments begin with the input. A tensor is {t, s, v}: its kind (f float, i int,
b bool), its shape and its numbers. Inputs are float32 numbers; what is computed from them is float64. Gradients are those of the sum of all
float outputs, weighted by cos(1), cos(2), …, for each float tensor among the arguments that has one.

python tools/parity/opinfo.py fourier
"""
import itertools
import json
import math
import pathlib
import sys
import warnings
import torch
from operator_tests import op_db

warnings.filterwarnings("ignore")
FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"
SETS = {
    "more": """tensor_split hsplit vsplit dsplit broadcast_tensors broadcast_to expand_as reshape_as ravel sum_to_size column_stack block_diag
    cartesian_prod combinations linalg.vander addr tril_indices triu_indices unravel_index fliplr flipud roll msort select_scatter slice_scatter
    diagonal_scatter put masked_scatter index_reduce isin unique_consecutive trapezoid cumulative_trapezoid gradient cov corrcoef dist
    linalg.vecdot renorm histogram lgamma digamma polygamma mvlgamma i0 special.i0e special.i1 special.i1e special.erfcx special.ndtr
    special.log_ndtr special.ndtri special.entr special.zeta nextafter ldexp float_power isposinf isneginf logspace full_like diagflat
    nn.functional.batch_norm nn.functional.instance_norm nn.functional.group_norm nn.functional.layer_norm nn.functional.rms_norm
    nn.functional.local_response_norm nn.functional.linear nn.functional.bilinear nn.functional.channel_shuffle
    nn.functional.triplet_margin_with_distance_loss div round unfold nn.functional.fractional_max_pool2d
    nn.functional.fractional_max_pool3d""".split(),
    "fourier": """fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft fft.fft2 fft.ifft2 fft.fftn fft.ifftn fft.rfft2 fft.irfft2 fft.rfftn fft.irfftn
    fft.hfft2 fft.ihfft2 fft.hfftn fft.ihfftn fft.fftshift fft.ifftshift stft istft complex polar angle signal.windows.bartlett
    signal.windows.blackman signal.windows.cosine signal.windows.exponential signal.windows.gaussian signal.windows.general_cosine
    signal.windows.general_hamming signal.windows.hamming signal.windows.hann signal.windows.kaiser signal.windows.nuttall""".split(),
}
#: Operators that take complex numbers alone.
COMPLEX = ["istft"]
#: Samples of each operator in a fixture, and elements of one; where all are larger, the smallest, with so many elements together.
MOST, LARGEST, TOGETHER = 6, 150, 1500


def number(v):
    if isinstance(v, bool):
        return v
    v = float(v)
    return "NaN" if math.isnan(v) else str(v).replace("inf", "Infinity") if math.isinf(v) else int(v) if v == int(v) and abs(v) < 1e15 else float(f"{v:.9g}")


def written(value):
    if isinstance(value, torch.Tensor):
        kind = "b" if value.dtype == torch.bool else "f" if value.is_floating_point() else "i"
        return {"t": kind, "s": list(value.shape), "v": [number(v) for v in value.detach().flatten().tolist()]}
    if isinstance(value, (list, tuple)):
        return [written(v) for v in value]
    if isinstance(value, float):
        return number(value)
    assert value is None or isinstance(value, (bool, int, str)), type(value)
    return value


def tensors(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for v in value for t in tensors(v)] if isinstance(value, (list, tuple)) else []


def widened(value):
    """float64 leaves of the same numbers."""
    if isinstance(value, torch.Tensor):
        t = value.detach().clone()
        return t.to(torch.cdouble if t.is_complex() else torch.double).requires_grad_() if t.is_floating_point() or t.is_complex() else t
    return type(value)(widened(v) for v in value) if isinstance(value, (list, tuple)) else value


def real(value):
    """Complex numbers as pairs of real ones, which is what nabla has."""
    if isinstance(value, torch.Tensor):
        return torch.view_as_real(value.resolve_conj()) if value.is_complex() else value
    return type(value)(real(v) for v in value) if isinstance(value, (list, tuple)) else value


def row(op, sample):
    args = [widened(sample.input), *map(widened, sample.args)]
    options = {k: widened(v) for k, v in sample.kwargs.items() if k not in ("device", "layout", "dtype")}
    if isinstance(options.get("distance_function"), torch.nn.PairwiseDistance):
        del options["distance_function"]  # the default, which cannot be written down
    if "dtype" in sample.kwargs:
        options["dtype"] = torch.double if sample.kwargs["dtype"] == torch.float32 else sample.kwargs["dtype"]
    try:
        outputs = tensors(real(op(*args, **options)))
    except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError):
        return None
    if not outputs:
        return None
    given = tensors(args) + tensors(list(options.values()))
    trained = [y for y in outputs if y.requires_grad]
    gradients = []
    try:
        if trained:
            weights = [torch.cos(torch.arange(y.numel(), dtype=y.dtype) + 1).reshape(y.shape) for y in trained]
            sum((y * w).sum() for y, w in zip(trained, weights)).backward()
            gradients = [t.grad for t in given if t.requires_grad]
    except (RuntimeError, NotImplementedError):
        gradients = []
    try:
        gradients = [g if g is None else real(g) for g in gradients]
        return [op.name, written(real(args)), written_options(options), written(outputs), written(gradients)]
    except AssertionError:
        return None


def written_options(options):
    names = {torch.double: "float", torch.int32: "int32", torch.int64: "int32"}
    return {k: names[v] if isinstance(v, torch.dtype) and v in names else written(real(v)) for k, v in options.items()}


def size(row):
    if isinstance(row, dict):
        return len(row["v"]) if set(row) == {"t", "s", "v"} else sum(map(size, row.values()))
    return sum(map(size, row)) if isinstance(row, list) else 0


def smallest(rows):
    ordered = sorted(rows, key=size)
    return [r for r, total in zip(ordered, itertools.accumulate(map(size, ordered))) if total <= TOGETHER]


def rows_of(op):
    dtype = torch.complex64 if op.name in COMPLEX else torch.float32 if torch.float32 in op.dtypes else torch.int32
    if dtype not in op.dtypes:
        return []
    torch.manual_seed(0)
    made = (row(op, sample) for sample in op.sample_inputs("cpu", dtype, requires_grad=False))
    return [r for r in made if r is not None]


def main(name, file=None):
    names = SETS[name]
    rows = []
    for op in sorted((op for op in op_db if op.name in names), key=lambda op: (names.index(op.name), op.variant_test_name)):
        found = rows_of(op)
        if file is None:
            found = [r for r in found if size(r) <= LARGEST] or smallest(found)
            found = found[:: max(1, math.ceil(len(found) / MOST))]
        rows += found
    path = pathlib.Path(file) if file else FIXTURES / f"opinfo-{name}.json"
    note = f"made by tools/parity/opinfo.py with PyTorch {torch.__version__.split('+')[0]}"
    lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows)
    path.write_text('{"note":' + json.dumps(note) + ',"rows":[\n' + lines + "\n]}\n")
    print(len({r[0] for r in rows}), "operators,", len(rows), "rows,", path.stat().st_size, "bytes")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[3] if sys.argv[2:3] == ["--all"] else None)
