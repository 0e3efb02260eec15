"""Writes test/fixtures/windows.json: convolutions, their transposes and pooling in all small settings, values and gradients, as
PyTorch computes them, and which settings it refuses (checksums.py says how). Run with any recent PyTorch:
python tools/parity/windows.py
"""
import itertools
import torch.nn.functional as F
from checksums import case, save_rows, text

NAMES = {"outputPadding": "output_padding", "ceilMode": "ceil_mode", "countIncludePad": "count_include_pad"}


def windows(op, fn, inputs, *args, **options):
    """One row; options that are PyTorch's defaults are left out."""
    given = {k: v for k, v in options.items() if v not in (0, False) and not (v == 1 and k in ("stride", "dilation", "groups")) and not (k == "countIncludePad" and v)}
    case(op, inputs, [*args, given], lambda *a: fn(*a[:-1], **{NAMES.get(k, k): v for k, v in a[-1].items()}))


def turn(options, n):
    return options[n % len(options)]


n = 0
for size, kernel, stride, padding, dilation in itertools.product((1, 3, 5), (1, 2, 3), (1, 2, 3), (0, 1, 2), (1, 2)):
    n += 1
    groups = turn([1, 2, 1], n)
    inputs = [text("f", (turn([1, 2], n), 2, size)), text("f", (turn([2, 4], n), 2 // groups, kernel))]
    windows("conv1d", F.conv1d, inputs, stride=stride, padding=padding, dilation=dilation, groups=groups)
for size, kernel, stride, padding, dilation, extra in itertools.product((1, 2, 3), (1, 2, 3), (1, 2, 3), (0, 1), (1, 2, 3), (0, 1, 2)):
    n += 1
    groups = turn([1, 2, 1], n)
    inputs = [text("f", (turn([1, 2], n), 2, size)), text("f", (2, turn([1, 2], n // 2), kernel))]
    windows("convTranspose1d", F.conv_transpose1d, inputs, stride=stride, padding=padding, dilation=dilation, groups=groups, outputPadding=extra)
for k in range(150):
    size = [turn([3, 4, 2], k), turn([4, 3, 5, 2], k // 2)]
    kernel = [turn([1, 2, 3], k // 3), turn([2, 3, 1], k // 5)]
    both = dict(stride=[turn([1, 2, 3], k), turn([2, 1], k // 2)], padding=[turn([0, 1], k // 3), turn([1, 0], k)], dilation=[turn([1, 2], k // 4), turn([1, 1, 3], k // 7)])
    groups = turn([1, 2], k // 6)
    windows("conv2d", F.conv2d, [text("f", (turn([1, 2], k), 2, *size)), text("f", (2, 2 // groups, *kernel))], groups=groups, **both)
    extra = [turn([0, 1, 2], k // 2), turn([0, 1], k // 5)]
    windows("convTranspose2d", F.conv_transpose2d, [text("f", (turn([1, 2], k), 2, *size)), text("f", (2, turn([1, 2], k), *kernel))], groups=groups, outputPadding=extra, **both)
for size, kernel, stride, padding, ceil in itertools.product((2, 4, 5), (1, 2, 3), (1, 2, 3), (0, 1), (False, True)):
    n += 1
    lead = turn([(2, 2), (1, 1), (2,)], n)
    windows("avgPool1d", F.avg_pool1d, [text("f", (*lead, size))], kernel, stride=stride, padding=padding, ceilMode=ceil, countIncludePad=turn([True, False], n))
    windows("maxPool1d", F.max_pool1d, [text("f", (*lead, size))], kernel, stride=stride, padding=padding, ceilMode=ceil, dilation=turn([1, 1, 2], n))
    windows("maxPool1dWithIndices", lambda x, k, **o: F.max_pool1d(x, k, return_indices=True, **o), [text("f", (*lead, size))], kernel, stride=stride, padding=padding, ceilMode=ceil)
    image = (*lead, size, turn([3, 4], n))
    k2 = [kernel, turn([2, 1, 3], n)]
    windows("avgPool2d", F.avg_pool2d, [text("f", image)], k2, stride=[stride, turn([1, 2], n)], padding=[padding, 0], ceilMode=ceil, countIncludePad=turn([True, False], n // 2))
    windows("maxPool2d", F.max_pool2d, [text("f", image)], k2, stride=[stride, turn([1, 2], n)], padding=[padding, 0], ceilMode=ceil, dilation=[turn([1, 2], n), 1])
for size, parts in itertools.product((1, 2, 3, 5), (1, 2, 3, 4)):
    for kind, fns in {"Avg": (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d), "Max": (F.adaptive_max_pool1d, F.adaptive_max_pool2d)}.items():
        case(f"adaptive{kind}Pool1d", [text("f", (2, size))], [parts], fns[0])
        case(f"adaptive{kind}Pool1d", [text("f", (1, 2, size))], [parts], fns[0])
        case(f"adaptive{kind}Pool2d", [text("f", (2, size, 3))], [[parts, turn([1, 2, 3], size)]], fns[1])
        case(f"adaptive{kind}Pool2d", [text("f", (2, 1, 4, size))], [[turn([2, 3, 1], parts), parts]], fns[1])
save_rows("windows.py", "windows")
