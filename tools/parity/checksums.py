"""Rows of shapes.json, windows.json, sequences.json and functions-*.json: inputs from a formula, and a checksum of what PyTorch computes from them.

A row is [inputs, arguments, result]. Inputs are a letter and a shape each (f float, p positive float, t float with ties,
x float with NaN and infinities, i int, b bool, n3 an index below 3); the test has the same formula for their numbers. The result holds, for each output and then for the gradient of each
float input, its kind, its shape and a checksum; '!' says that PyTorch refuses.
"""
import json
import math
import pathlib
import warnings
import torch

warnings.filterwarnings("ignore")
torch.set_default_dtype(torch.float64)
FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"
table = {}


def numbers(domain, size, k):
    """Distinct ones for the first 97 elements of a float input."""
    n = [(i * 37 + k * 29 + 11) % 97 for i in range(size)]
    if domain == "f":
        return [(v - 48) / 16 for v in n]
    if domain == "p":
        return [(v + 8) / 32 for v in n]
    if domain == "t":
        return [(v % 5 - 2) / 2 for v in n]
    if domain == "x":
        return [math.nan if v % 7 == 0 else math.inf if v % 11 == 1 else -math.inf if v % 13 == 2 else (v - 48) / 16 for v in n]
    if domain == "i":
        return [v % 7 - 3 for v in n]
    if domain == "b":
        return [v % 3 == 0 for v in n]
    return [v % int(domain[1:]) for v in n]


def make(text, k):
    domain, _, sizes = text.partition(":")
    shape = [int(n) for n in sizes.split(",")] if sizes else []
    dtype = {"b": torch.bool, **dict.fromkeys("fptx", torch.float64)}.get(domain, torch.int64)
    t = torch.tensor(numbers(domain, math.prod(shape), k), dtype=dtype).reshape(shape)
    return t.requires_grad_() if dtype == torch.float64 else t


def weights(t):
    return torch.cos(torch.arange(t.numel(), dtype=torch.float64) + 1).reshape(t.shape)


def number(v):
    return f"{v:.6g}" if v != 0 else "0"


def summary(t):
    """Kind and shape; how many NaN, ∞ and −∞; the weighted sum of the rest."""
    kind = "f" if t.dtype == torch.float64 else "b" if t.dtype == torch.bool else "i"
    v = t.detach().double()
    finite = torch.isfinite(v)
    counts = [int(x.sum()) for x in (v.isnan(), v == math.inf, v == -math.inf)]
    total = (torch.where(finite, v, 0) * weights(v)).sum().item()
    odd = "".join(f"{name}{n}" for name, n in zip(("n", "p", "m"), counts) if n)
    return f"{kind}{','.join(map(str, t.shape))}:{number(total)}{odd}"


def case(op, inputs, args, fn):
    xs = [make(text, k) for k, text in enumerate(inputs)]
    try:
        out = fn(*xs, *args)
        outs = list(out) if isinstance(out, (tuple, list)) else [out]
        outs = [y for part in outs for y in (part if isinstance(part, (tuple, list)) else [part])]
        parts = [summary(y) for y in outs]
        trained = [y for y in outs if y.requires_grad]
        if trained:
            sum((y * weights(y)).sum() for y in trained).backward()
            parts += [summary(x.grad) if x.grad is not None else "-" for x in xs if x.requires_grad]
        result = " ".join(parts)
    except (RuntimeError, IndexError, ValueError, TypeError, AssertionError):
        result = "!"
    table.setdefault(op, []).append([" ".join(inputs), args, result])


def text(domain, shape):
    return f"{domain}:{','.join(map(str, shape))}"


def save_rows(script, name):
    note = f"made by tools/parity/{script} with PyTorch {torch.__version__.split('+')[0]}"
    lines = (",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) for rows in table.values())
    rows = ",\n".join(f"{json.dumps(op)}: [\n{text}]" for op, text in zip(table, lines))
    path = FIXTURES / f"{name}.json"
    path.write_text('{"note": ' + json.dumps(note) + ',\n"cases": {\n' + rows + "}}\n")
    refused = sum(row[2] == "!" for rows in table.values() for row in rows)
    print(len(table), "operators,", sum(map(len, table.values())), "rows,", refused, "refusals,", path.stat().st_size, "bytes")
