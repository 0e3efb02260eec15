"""The coefficients of EXP for float32 in src/engine/loop/math/coefficients.ts.

The polynomial p of degree 4 for which r + r²·p(r) comes closest to e^r − 1, as a share of e^r, for |r| ≤ ln 2 / 2:
Lawson's iteration (weighted least squares, weights raised where the error is large) on Chebyshev points, then the
neighbouring float32 numbers of each coefficient are tried. Needs NumPy. Prints the coefficients, highest power first,
and the largest error.
"""

import itertools

import numpy as np

DEGREE = 4
EDGE = np.log(2) / 2 * 1.0003  # a multiple of ln 2 that was rounded to the wrong side lies a little beyond
POINTS = 400

r = EDGE * np.cos(np.pi * (2 * np.arange(POINTS) + 1) / (2 * POINTS))
terms = [1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320, 1 / 362880]
target = np.polyval(terms[::-1], r)  # (e^r − 1 − r) / r² without cancellation
weight = r * r / np.exp(r)


def error(coefficients):
    return np.abs((np.polyval([float(c) for c in coefficients], r) - target) * weight).max()


powers = np.vander(r / EDGE, DEGREE + 1) * weight[:, None]
lawson = np.full(POINTS, 1 / POINTS)
for _ in range(3000):
    root = np.sqrt(lawson)
    solution = np.linalg.lstsq(powers * root[:, None], target * weight * root, rcond=None)[0]
    lawson *= np.abs(powers @ solution - target * weight)
    lawson /= lawson.sum()

exact = solution / EDGE ** np.arange(DEGREE, -1, -1)
near = [
    [np.nextafter(np.float32(c), np.float32(-np.inf)), np.float32(c), np.nextafter(np.float32(c), np.float32(np.inf))]
    for c in exact
]
best = min(itertools.product(*near), key=error)
print([float(f"{c:.10g}") for c in best], f"{error(best):.2e}")
