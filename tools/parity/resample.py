"""Writes test/fixtures/resample.safetensors: images in another size, values and gradients, by PyTorch; also with NaN and infinities
in a few pixels and in a few gradients, which may reach their neighbours alone. Run with any recent PyTorch:
python tools/parity/resample.py
"""
import torch
import torch.nn.functional as F
from fixture import rand, save, weighted

torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
nan, inf = float("nan"), float("inf")
cases = []


def scatter(x, numbers):
    """Some numbers in places of x that lie apart."""
    flat = x.reshape(-1)
    for i, number in enumerate(numbers):
        flat[(7 * i + 5) * flat.numel() // (7 * len(numbers) + 5)] = number
    return x


def record(shape, mode, align=None, size=None, factor=None):
    options = {k: v for k, v in dict(size=size, scaleFactor=factor, mode=mode, alignCorners=align).items() if v is not None}
    for odd in ([], [nan, inf], [inf, -inf]):
        x = scatter(rand(*shape), odd).requires_grad_()
        y = F.interpolate(x, size=size, scale_factor=factor, mode=mode, align_corners=align)
        if odd:
            g = scatter(rand(*y.shape), odd)
            y.backward(g)
            cases.append({"options": options, "x": x, "y": y, "g": g, "dx": x.grad})
            continue
        # and the derivative of a gradient, which is a gradient of the gradient
        (dx,) = torch.autograd.grad((y**3 / 6).sum(), x, create_graph=True)
        (ddx,) = torch.autograd.grad(weighted(dx), x)
        cases.append({"options": options, "x": x, "y": y, "dx": dx, "ddx": ddx})


for size, to in (((4, 5), [8, 10]), ((4, 5), [4, 5]), ((5, 4), [7, 3]), ((3, 6), [1, 2]), ((1, 1), [3, 2]), ((6, 5), [3, 13])):
    record((1, 1, *size), "nearest", size=to)
    for mode in ("bilinear", "bicubic"):
        for align in (False, True):
            record((1, 1, *size), mode, align, size=to)
for factor in (2.0, 0.5, 1.7, 3.0):
    record((1, 2, 7), "nearest", factor=factor)
    for align in (False, True):
        record((1, 2, 7), "linear", align, factor=factor)
        record((1, 1, 7, 4), "bilinear", align, factor=factor)
        record((1, 1, 7, 4), "bicubic", align, factor=factor)
record((1, 1, 3, 2), "bicubic", False, size=[33, 2])  # more outputs to an input than one expression holds
record((1, 1, 3, 2), "nearest", size=[33, 2])

# Which element 'nearest' takes is decided by rounding in float32: all of them for a row of so many.
nearest = []
for n in range(1, 42):
    row = torch.arange(n, dtype=torch.float32)[None, None]
    for to in sorted({1, 2, 3, n - 1, n, n + 1, 2 * n, 3 * n, 41, 49, 64, 83, 90}):
        if to > 0:
            nearest.append([n, {"size": to}, F.interpolate(row, size=to).flatten().int().tolist()])
    for factor in (1 / 3, 0.7, 1.3, 2.0, 2.2, 3.0, 6.0, 41.0):
        if int(n * factor) > 0:
            nearest.append([n, {"scaleFactor": factor}, F.interpolate(row, scale_factor=factor).flatten().int().tolist()])
nearest = [row for i, row in enumerate(nearest) if i % 4 == 0 or row[0] == 41]
save("resample.py", "resample", {"cases": cases, "nearest": nearest})
