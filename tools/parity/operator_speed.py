"""The cases of bench O2 (bench/operator-cases.mjs) in PyTorch: a JSON line each, as `npm run bench -- O2 --json` prints them.

MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=268435456 \\
    python tools/parity/operator_speed.py [--threads 2] [part of a name]

The settings keep glibc from returning each large array to the system, which would be most of what is measured.
"""
import argparse
import json
import statistics
import time
import torch
import torch.nn.functional as F

ROWS, COLUMNS = 8192, 1024
SIZE = ROWS * COLUMNS
ARRAY = 4 * SIZE


def real(*shape):
    return torch.rand(shape or (ROWS, COLUMNS)) * 2 - 1


def whole(limit, *shape):
    return torch.randint(0, limit, shape)


def mask():
    return torch.rand(ROWS, COLUMNS) > 0.5


def images():
    return real(32, 64, 64, 64)


UNARY = {
    "neg": torch.neg, "relu": torch.relu, "mul by a number": lambda t: t * 1.5, "clamp": lambda t: t.clamp(-0.5, 0.5), "square": torch.square,
    "sqrt": lambda t: t.abs().sqrt(), "exp": torch.exp, "log": lambda t: t.abs().log(), "sin": torch.sin, "tanh": torch.tanh,
    "sigmoid": torch.sigmoid, "gelu": F.gelu, "dropout": lambda t: F.dropout(t, 0.1), "softmax, rows": lambda t: t.softmax(1),
    "softmax, columns": lambda t: t.softmax(0), "log softmax, rows": lambda t: t.log_softmax(1), "cumsum, rows": lambda t: t.cumsum(1),
    "cumsum, columns": lambda t: t.cumsum(0), "transpose": lambda t: t.t().contiguous(), "flip, rows": lambda t: t.flip(1),
    "flip, columns": lambda t: t.flip(0), "roll": lambda t: t.roll(100, 1), "tril": torch.tril, "diff": lambda t: t.diff(dim=1),
}
REDUCTIONS = {
    "sum, all": torch.sum, "sum, rows": lambda t: t.sum(1), "sum, columns": lambda t: t.sum(0), "mean, rows": lambda t: t.mean(1),
    "var, rows": lambda t: t.var(1), "norm, all": lambda t: t.norm(), "max, rows": lambda t: t.amax(1), "max, columns": lambda t: t.amax(0),
    "argmax, rows": lambda t: t.argmax(1), "argmax, columns": lambda t: t.argmax(0), "logsumexp, rows": lambda t: t.logsumexp(1),
    "any above": lambda t: (t > 2).any(),
}
#: Inputs, function, bytes.
CASES = {
    **{name: ((), fn, 2 * ARRAY) for name, fn in UNARY.items()},
    **{name: ((), fn, ARRAY) for name, fn in REDUCTIONS.items()},
    "add": (lambda: (real(), real()), torch.add, 3 * ARRAY),
    "div": (lambda: (real(), real()), torch.div, 3 * ARRAY),
    "maximum": (lambda: (real(), real()), torch.maximum, 3 * ARRAY),
    "lerp": (lambda: (real(), real()), lambda a, b: torch.lerp(a, b, 0.3), 3 * ARRAY),
    "add a row": (lambda: (real(), real(COLUMNS)), torch.add, 2 * ARRAY),
    "mul by a column": (lambda: (real(), real(ROWS, 1)), torch.mul, 2 * ARRAY),
    "outer product": (lambda: (real(ROWS, 1), real(COLUMNS)), torch.mul, ARRAY),
    "greater": (lambda: (real(), real()), torch.gt, 2 * ARRAY + SIZE),
    "equal": (lambda: (real(), real()), torch.eq, 2 * ARRAY + SIZE),
    "where": (lambda: (mask(), real(), real()), torch.where, 3 * ARRAY + SIZE),
    "masked fill": (lambda: (mask(), real()), lambda m, a: a.masked_fill(m, 0), 2 * ARRAY + SIZE),
    "float32 to int32": ((), lambda t: t.int(), 2 * ARRAY),
    "float32 to float64": ((), lambda t: t.double(), 3 * ARRAY),
    "float32 to bfloat16": ((), lambda t: t.bfloat16(), 1.5 * ARRAY),
    "bool to float32": (lambda: (mask(),), lambda m: m.float(), ARRAY + SIZE),
    "and of int32": (lambda: (whole(1000, ROWS, COLUMNS).int(), whole(1000, ROWS, COLUMNS).int()), torch.bitwise_and, 3 * ARRAY),
    "sum, channels": (lambda: (images(),), lambda t: t.sum((0, 2, 3)), ARRAY),
    "sum, middle": (lambda: (real(512, 16, 1024),), lambda t: t.sum(1), ARRAY + ARRAY / 16),
    "layer norm": (lambda: (real(), real(COLUMNS), real(COLUMNS)), lambda t, w, b: F.layer_norm(t, (COLUMNS,), w, b), 2 * ARRAY),
    "cat, rows": (lambda: (real(), real()), lambda a, b: torch.cat([a, b], 0), 4 * ARRAY),
    "cat, columns": (lambda: (real(), real()), lambda a, b: torch.cat([a, b], 1), 4 * ARRAY),
    "stack, last": (lambda: (real(), real()), lambda a, b: torch.stack([a, b], -1), 4 * ARRAY),
    "permute NCHW to NHWC": (lambda: (images(),), lambda t: t.permute(0, 2, 3, 1).contiguous(), 2 * ARRAY),
    "every second column": ((), lambda t: t[:, ::2].contiguous(), 1.5 * ARRAY),
    "pad": (lambda: (images(),), lambda t: F.pad(t, (1, 1, 1, 1)), ARRAY + ARRAY * 66 * 66 / 4096),
    "pad, reflect": (lambda: (images(),), lambda t: F.pad(t, (1, 1, 1, 1), mode="reflect"), ARRAY + ARRAY * 66 * 66 / 4096),
    "repeat": (lambda: (real(ROWS // 2, COLUMNS // 2),), lambda t: t.repeat(2, 2), 1.25 * ARRAY),
    "repeat interleave": (lambda: (real(ROWS, COLUMNS // 2),), lambda t: t.repeat_interleave(2, 1), 1.5 * ARRAY),
    "one-hot": (lambda: (whole(COLUMNS, ROWS),), lambda i: F.one_hot(i, COLUMNS).float(), ARRAY),
    "embedding of rows": (lambda: (real(), whole(ROWS, ROWS)), lambda t, i: t.index_select(0, i), 2 * ARRAY),
    "gather, rows": (lambda: (real(), whole(COLUMNS, ROWS, COLUMNS)), lambda t, i: t.gather(1, i), 3 * ARRAY),
    "gather, columns": (lambda: (real(256, COLUMNS), whole(256, ROWS, COLUMNS)), lambda t, i: t.gather(0, i), 2 * ARRAY),
    "scatter-add of rows": (lambda: (real(1024, COLUMNS), whole(1024, ROWS), real()), lambda t, i, s: t.index_add(0, i, s), ARRAY + ARRAY / 4),
    "scatter-add": (lambda: (real(), whole(COLUMNS, ROWS, COLUMNS), real()), lambda t, i, s: t.scatter_add(1, i, s), 4 * ARRAY),
    "scatter": (lambda: (real(), whole(COLUMNS, ROWS, COLUMNS), real()), lambda t, i, s: t.scatter(1, i, s), 4 * ARRAY),
    "max pool 2 × 2": (lambda: (images(),), lambda t: F.max_pool2d(t, 2), 1.25 * ARRAY),
    "mean pool 2 × 2": (lambda: (images(),), lambda t: F.avg_pool2d(t, 2), 1.25 * ARRAY),
    "nearest, twice as large": (lambda: (real(32, 64, 32, 32),), lambda t: F.interpolate(t, scale_factor=2), 1.25 * ARRAY),
    "sort, rows": ((), lambda t: t.sort(1).values, 2 * ARRAY),
    "top 10 of rows": ((), lambda t: t.topk(10, 1).values, ARRAY),
}


def measured(fn, inputs, seconds):
    times, start = [], time.perf_counter()
    for _ in range(3):
        fn(*inputs)
    while len(times) < 10 or time.perf_counter() - start < seconds:
        began = time.perf_counter()
        fn(*inputs)
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times), min(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("part", nargs="?", default="")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.5)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    for name, (make, fn, size) in CASES.items():
        if given.part not in name:
            continue
        with torch.no_grad():
            median, least = measured(fn, make() if make else (real(),), given.seconds)
        row = {"workload": f"O2.{name}", "ms_median": round(median, 2), "ms_min": round(least, 2), "gbps": round(size / median / 1e6, 1)}
        print(json.dumps({"peer": f"PyTorch {torch.__version__}", "threads": given.threads, **row}), flush=True)


main()
