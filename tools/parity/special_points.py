"""Writes test/fixtures/special-points.safetensors: values and slopes where there are none, or more than one, by PyTorch.

Zeros of both signs, infinities, NaN, bounds, ties, overflow; in float64. Run with any recent PyTorch:
python tools/parity/special_points.py
"""
import torch
import torch.nn.functional as F
from fixture import save

torch.set_default_dtype(torch.float64)
nan, inf = float("nan"), float("inf")
POINTS = [nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, 3.0, -3.0, 6.0, -9.0, 20.5, -20.5, 89.0, -89.0, 100.0, -100.0, 1e-30, -1e-30, 1e10, -1e10]
cases = {}


def record(name, fn, *inputs):
    xs = [torch.tensor(x).float().double().requires_grad_() for x in inputs]
    y = fn(*xs)
    y.sum().backward()
    cases[name] = {"inputs": xs, "y": y, "slopes": [x.grad for x in xs]}


for name, fn in {
    "abs": torch.abs, "acos": torch.acos, "asin": torch.asin, "atan": torch.atan, "ceil": torch.ceil, "cos": torch.cos, "cosh": torch.cosh,
    "erf": torch.erf, "exp": torch.exp, "expm1": torch.expm1, "floor": torch.floor, "gelu": F.gelu, "log": torch.log, "log10": torch.log10,
    "log1p": torch.log1p, "log2": torch.log2, "neg": torch.neg, "reciprocal": torch.reciprocal, "relu": torch.relu, "round": torch.round,
    "rsqrt": torch.rsqrt, "sigmoid": torch.sigmoid, "sign": torch.sign, "sin": torch.sin, "sinh": torch.sinh, "softplus": lambda x: F.softplus(x, threshold=1e9),
    "sqrt": torch.sqrt, "square": torch.square, "tan": torch.tan, "tanh": torch.tanh, "trunc": torch.trunc,
    "celu": F.celu, "elu": F.elu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"), "hardshrink": F.hardshrink, "hardsigmoid": F.hardsigmoid, "hardswish": F.hardswish,
    "hardtanh": F.hardtanh, "leakyRelu": F.leaky_relu, "logSigmoid": F.logsigmoid, "mish": F.mish, "relu6": F.relu6, "selu": F.selu,
    "silu": F.silu, "softplusLayer": F.softplus, "softshrink": F.softshrink, "softsign": F.softsign, "tanhshrink": F.tanhshrink,
    "threshold": lambda x: F.threshold(x, 0.5, 7),
    "clamp": lambda x: x.clamp(-1, 1), "clampMin": lambda x: x.clamp(min=-1), "clampMax": lambda x: x.clamp(max=-1), "clampZero": lambda x: x.clamp(min=0),
    "pow0": lambda x: x**0, "pow0.5": lambda x: x**0.5, "pow2": lambda x: x**2, "pow3": lambda x: x**3, "pow-1": lambda x: x**-1,
}.items():
    record(name, fn, POINTS)

A = [nan, 0, 1, nan, 0, -0.0, 2, -2, inf, -inf, inf, 3, -3, 3, -3, 5, 5, -5, 1, -1, 1e10, 1e9]
B = [1, nan, 1, nan, -0.0, 0, 3, 3, inf, inf, 2, inf, inf, -inf, -inf, 0, 3, 3, 0.1, 0.1, 7, 7]
for name, fn in {
    "maximum": torch.maximum, "minimum": torch.minimum, "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div,
    "remainder": torch.remainder, "pow": torch.pow,
}.items():
    record(name, fn, A, B)

VECTORS = {"zeros": [0, 0, 0], "zero and others": [0, 3, -4], "ties": [2, -2, 1, 2], "equal": [1.5, 1.5, 1.5], "with NaN": [1, nan, 2], "infinite": [1, inf, 2], "one": [3]}
for of, x in VECTORS.items():
    for name, fn in {
        "sum": torch.sum, "mean": torch.mean, "prod": torch.prod, "std": lambda x: x.std(0), "var": lambda x: x.var(0), "std0": lambda x: x.std(0, correction=0),
        "amax": torch.amax, "amin": torch.amin, "max": lambda x: x.max(0).values, "min": lambda x: x.min(0).values,
        "cumsum": lambda x: x.cumsum(0), "logsumexp": lambda x: x.logsumexp(0), "softmax": lambda x: x.softmax(0) * torch.arange(len(x)),
        "logSoftmax": lambda x: x.log_softmax(0)[:1],
        **{f"norm{p}": lambda x, p=p: x.norm(p) for p in (0.5, 1, 1.5, 2, 3, inf)},
        "normalised": lambda x: (x / x.norm().clamp(min=1e-12)) * torch.arange(len(x)),
    }.items():
        record(f"{name} of {of}", fn, x)

save("special_points.py", "special-points", {"cases": cases})
