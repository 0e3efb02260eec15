"""Numbers by a rule, which nabla makes, too, and digests of models and results: what the scripts of models share (zoo.py, text.py)."""
import hashlib
import numpy as np


def u01(seed, n):
    with np.errstate(over="ignore"):
        x = np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32((seed * 0x85EBCA77) & 0xFFFFFFFF)
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
        x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
        return (x ^ (x >> np.uint32(16))).astype(np.float64) / 4294967296


def digest(t, single=None):
    a = t.detach().double().numpy().ravel()
    r = lambda x: float(f"{x:.12g}")
    out = dict(shape=list(t.shape), first=[r(x) for x in a[:4]], mean=r(a.mean()), std=r(a.std()), max=r(np.abs(a).max()), proj=r((a * u01(7, a.size)).sum()))
    if single is not None:
        out["noise"] = float(f"{np.abs(single.detach().double().numpy().ravel() - a).max() / out['max']:.2g}")
    return out


def describe(model):
    lines = [f"{k} [{', '.join(map(str, t.shape))}]" for k, t in model.state_dict().items()]
    keys = dict(count=len(lines), sha256=hashlib.sha256("\n".join(lines).encode()).hexdigest())
    return dict(parameters=sum(p.numel() for p in model.parameters()), keys=keys)
