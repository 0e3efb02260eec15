"""Writes test/fixtures/special-functions.safetensors: the functions of src/functions/special.ts and pairs.ts at float32 numbers of every
size, to float64's precision (mpmath; at infinities and NaN, PyTorch). Run with any recent PyTorch: python tools/parity/special_functions.py
"""
import mpmath as mp
import numpy as np
import torch
from fixture import save

mp.mp.dps = 60
rng = np.random.default_rng(0)
one, pi = mp.mpf(1), mp.pi


def sizes(low, high, count):
    """Both signs, exponents evenly between 2^low and 2^high."""
    v = 2 ** rng.uniform(low, high, count) * rng.choice([-1.0, 1.0], count)
    return v.astype(np.float32)


SPECIAL = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 0.5, -0.5, 2, -2, 1.5], dtype=np.float32)
LINE = np.concatenate([SPECIAL, sizes(-126, 127, 60), sizes(-12, 5, 120), np.float32(1) - np.float32(2) ** -np.arange(1, 25, dtype=np.float32), np.float32(1) + np.float32(2) ** -np.arange(1, 24, dtype=np.float32)]).astype(np.float32)
SINC = lambda x: mp.sinpi(x) / (pi * x) if x else one
UNARY = {
    "exp2": (lambda x: mp.power(2, x), torch.exp2), "erfc": (mp.erfc, torch.erfc), "asinh": (mp.asinh, torch.asinh),
    "acosh": (lambda x: mp.acosh(x) if x >= 1 else None, torch.acosh), "atanh": (lambda x: mp.atanh(x) if abs(x) < 1 else None, torch.atanh),
    "erfinv": (lambda x: inverse(x) if abs(x) < 1 else None, torch.erfinv), "logit": (lambda x: mp.log(x / (1 - x)) if 0 < x < 1 else None, torch.logit),
    "sinc": (SINC, torch.sinc), "deg2rad": (lambda x: x * pi / 180, torch.deg2rad), "rad2deg": (lambda x: x * 180 / pi, torch.rad2deg),
    "frac": (lambda x: x - (mp.floor(x) if x > 0 else mp.ceil(x)), torch.frac),
    "lgamma": (lambda x: mp.re(mp.loggamma(x)) if not whole(x) and abs(x) < 2 ** 30 else None, torch.lgamma),
    "digamma": (lambda x: mp.digamma(x) if not whole(x) and abs(x) < 2 ** 30 else None, torch.digamma),
    "i0": (lambda x: mp.besseli(0, x) if abs(x) < 700 else None, torch.special.i0), "i1": (lambda x: mp.besseli(1, x) if abs(x) < 700 else None, torch.special.i1),
    "i0e": (lambda x: mp.besseli(0, x) * mp.exp(-abs(x)) if abs(x) < 2 ** 30 else None, torch.special.i0e),
    "i1e": (lambda x: mp.besseli(1, x) * mp.exp(-abs(x)) if abs(x) < 2 ** 30 else None, torch.special.i1e),
    "erfcx": (lambda x: mp.erfc(x) * mp.exp(x * x) if -26 < x < 1000 else None, torch.special.erfcx), "ndtr": (mp.ncdf, torch.special.ndtr),
    "logNdtr": (lambda x: mp.log(mp.ncdf(x)) if -1000 < x < 10 else None, torch.special.log_ndtr),
    "ndtri": (lambda x: quantile(x) if 0 < x < 1 else None, torch.special.ndtri), "entr": (lambda x: -x * mp.log(x) if x > 0 else None, torch.special.entr),
}


def whole(x):
    return x <= 0 and x == mp.floor(x)


def quantile(p):
    guess = mp.mpf(float(torch.special.ndtri(torch.tensor(float(p), dtype=torch.float64))))
    for _ in range(5):
        guess -= (mp.ncdf(guess) - p) / mp.npdf(guess)
    return guess


def inverse(x):
    if abs(x) < mp.mpf(10) ** -15:
        return x * mp.sqrt(pi) / 2 * (1 + pi * x * x / 12)
    guess = mp.mpf(float(torch.erfinv(torch.tensor(float(x), dtype=torch.float64))))
    for _ in range(4):
        error = mp.erf(guess) - x if abs(x) < 0.5 else (mp.erfc(-guess) - (1 + x) if x < 0 else (1 - x) - mp.erfc(guess))
        guess -= error * mp.sqrt(pi) / 2 * mp.exp(guess * guess)
    return guess


def logsum(a, b):
    return max(a, b) + mp.log1p(mp.exp(-abs(a - b)))


PAIRS = {
    "atan2": (mp.atan2, torch.atan2), "hypot": (lambda a, b: mp.sqrt(a * a + b * b), torch.hypot), "fmod": (lambda a, b: (abs(a) % abs(b)) * (1 if a > 0 else -1) if a and b else None, torch.fmod),
    "logaddexp": (logsum, torch.logaddexp), "logaddexp2": (lambda a, b: max(a, b) + mp.log1p(mp.power(2, -abs(a - b))) / mp.log(2), torch.logaddexp2),
    "xlogy": (lambda a, b: a * mp.log(b) if a and b > 0 else None, torch.xlogy), "xlog1py": (lambda a, b: a * mp.log1p(b) if a and b > -1 else None, torch.special.xlog1py),
}
grid = np.array([(a, b) for a in SPECIAL[:7] for b in SPECIAL[:7]], dtype=np.float32)
A = np.concatenate([grid[:, 0], sizes(-126, 127, 50), sizes(-10, 6, 100)])
B = np.concatenate([grid[:, 1], sizes(-126, 127, 50), sizes(-10, 6, 100)])


def exact(fn, torch_fn, *columns):
    """What fn gives, and PyTorch where an argument is no finite number or fn gives none."""
    known = torch_fn(*(torch.tensor(c.astype(np.float64)) for c in columns)).numpy()
    for k, args in enumerate(zip(*columns)):
        if all(np.isfinite(args)):
            value = fn(*(mp.mpf(float(v)) for v in args))
            # signs of zeros are PyTorch's
            if value is not None and (value != 0 or fn is SINC) and (0 not in args or len(args) == 1):
                known[k] = float(value)
    return torch.tensor(known)


save("special_functions.py", "special-functions", {
    "x": torch.tensor(LINE), "unary": {name: exact(*fns, LINE) for name, fns in UNARY.items()},
    "a": torch.tensor(A), "b": torch.tensor(B), "pairs": {name: exact(*fns, A, B) for name, fns in PAIRS.items()},
})
