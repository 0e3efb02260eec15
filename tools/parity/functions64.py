"""Writes test/fixtures/functions64.safetensors: functions of float64 over all exponents, exact to the last digit.

mpmath computes them with 400 digits (a sine of 10³⁰⁰ needs them). Each tensor has two rows: arguments, and values rounded
to float64.
"""

import random

import mpmath as m
import torch
from mpmath import mp, mpf

from fixture import save

mp.dps = 400
random.seed(20261130)


def spread(low, high, count, both=True):
    """Numbers with exponents of ten from `low` to `high`."""
    numbers = [10 ** random.uniform(low, high) for _ in range(count)]
    return [x * random.choice([1, -1]) if both else x for x in numbers]


def between(low, high, count):
    return [random.uniform(low, high) for _ in range(count)]


WIDE = spread(-300, 300, 60) + spread(-4, 4, 80)
POSITIVE = [abs(x) for x in WIDE] + between(0.5, 2, 40) + [5e-324, 2.5e-310, 1.7976931348623157e308]
EXPONENTS = between(-745, 709.7, 80) + spread(-12, 1, 40)
UNIT = between(-1, 1, 100) + spread(-12, 0, 30) + [1.0, -1.0, 0.9999999999999999]

FUNCTIONS = {
    "exp": (m.exp, EXPONENTS),
    "expm1": (m.expm1, between(-40, 709.7, 60) + spread(-15, 1, 60)),
    "log": (m.log, POSITIVE),
    "log1p": (m.log1p, between(-0.999999, 3, 60) + spread(-18, 0, 60) + spread(0, 300, 30, False)),
    "log2": (lambda x: m.log(x, 2), POSITIVE),
    "log10": (m.log10, POSITIVE),
    "sin": (m.sin, WIDE),
    "cos": (m.cos, WIDE),
    "tan": (m.tan, WIDE),
    "sinh": (m.sinh, between(-710, 710, 60) + spread(-12, 1, 60)),
    "cosh": (m.cosh, between(-710, 710, 60) + spread(-3, 1, 40)),
    "tanh": (m.tanh, between(-20, 20, 60) + spread(-12, 1, 60)),
    "asin": (m.asin, UNIT),
    "acos": (m.acos, UNIT),
    "atan": (m.atan, WIDE),
    "erf": (m.erf, between(-6, 6, 100) + spread(-12, 0, 30)),
    "sigmoid": (lambda x: 1 / (1 + m.exp(-x)), between(-700, 40, 80) + spread(-8, 1, 40)),
}

tensors = {}
for name, (function, arguments) in FUNCTIONS.items():
    values = [float(function(mpf(x))) for x in arguments]
    tensors[name] = [list(map(float, arguments)), values]

bases = spread(-150, 150, 60, False) + between(0.5, 2, 80)
powers = between(-2, 2, 60) + between(-900, 900, 80)
tensors["pow"] = [bases, powers, [float(m.power(mpf(b), mpf(p))) for b, p in zip(bases, powers)]]

document = {name: torch.tensor(rows, dtype=torch.float64) for name, rows in tensors.items()}
save("functions64.py", "functions64", {"functions": document})
