"""What NumPy prints of some arrays: the fixture of src/tensor/number-text.test.ts.

    python tools/parity/printing.py > test/fixtures/printing.json
"""

import json
import sys

import numpy as np

f = np.float32
rng = np.random.default_rng(0)
arrays = [
    np.array([1, 2, 3], f),
    np.array([[1, 2.5], [-3.25, 4]], f),
    np.array(1.5, f),
    np.array(3, f),
    np.array(1e-7, f),
    np.array([0.1, 0.2, 0.3], f),
    np.array([1 / 3, 2 / 3, 1], f),
    np.array([1e-5, 1], f),
    np.array([1, 1e8], f),
    np.array([123456, 0.5], f),
    np.array([0.00012345678, 0.001], f),
    np.array([np.nan, 1, np.inf, -np.inf], f),
    np.array([np.nan, np.inf], f),
    np.array([0, -0.0, 1], f),
    np.array([1e-40, 3.4e38], f),
    np.zeros((2, 3), f),
    np.zeros((0, 3), f),
    np.arange(24, dtype=f).reshape(2, 3, 4),
    rng.standard_normal((3, 4)).astype(f),
    rng.standard_normal(30).astype(f),
    (rng.standard_normal((4, 4)) * 1e4).astype(f),
    rng.standard_normal((40, 50)).astype(f),
    np.arange(1001, dtype=f),
    np.arange(2400, dtype=f).reshape(2, 30, 40),
    np.arange(12, dtype=np.int32).reshape(3, 4),
    np.array([-1, 10, 2147483647], np.int32),
    np.arange(2000, dtype=np.int32),
    np.array(7, np.int32),
    np.array([True, False]),
    np.array([[True, True], [False, True]]),
    np.array(True),
    np.arange(60, dtype=np.int32).reshape(1, 1, 60),
]


def number(x):
    if np.isnan(x):
        return "nan"
    if np.isinf(x):
        return "inf" if x > 0 else "-inf"
    return "-0" if x == 0 and np.signbit(x) else float(x)


rows = [
    {
        "dtype": {"b": "bool", "i": "int32", "f": "float32"}[a.dtype.kind],
        "shape": list(a.shape),
        "data": [number(x) for x in a.ravel().tolist()],
        "text": str(a),
    }
    for a in arrays
]
json.dump(rows, sys.stdout, separators=(",", ":"))
print()
