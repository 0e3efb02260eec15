"""Writes test/fixtures/data.json: folds of scikit-learn's splitters without shuffling, orders of PyTorch's
DistributedSampler, files that NumPy wrote, and
scikit-learn's small sets. Run with any recent scikit-learn and PyTorch: python tools/parity/data.py
"""
import base64
import io
import json
import pathlib
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold
from torch.utils.data import DistributedSampler

rng = np.random.default_rng(0)
n = 60
classes = rng.choice([3, 1, 7], size=n, p=[0.5, 0.3, 0.2])
groups = rng.integers(0, 13, size=n)
x = np.zeros((n, 1))
splitters = {"KFold": KFold, "StratifiedKFold": StratifiedKFold, "GroupKFold": GroupKFold, "StratifiedGroupKFold": StratifiedGroupKFold}
folds = {
    f"{name} {k}": [[int(i) for i in test] for _, test in cls(k).split(x, classes, groups)]
    for name, cls in splitters.items()
    for k in (2, 5, 7)
}
distributed = [
    {"length": length, "numReplicas": replicas, "rank": rank, "dropLast": drop,
     "order": list(DistributedSampler(range(length), replicas, rank, shuffle=False, drop_last=drop))}
    for length in (10, 12) for replicas in (1, 4) for rank in range(replicas) for drop in (False, True)
]


def npy(array, version=None):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, version)
    return {"bytes": base64.b64encode(buffer.getvalue()).decode(), "dtype": array.dtype.name, "shape": list(array.shape),
            "values": [str(v) for v in array.astype(object).ravel()] if array.dtype.kind in "iu" else [repr(float(v)) for v in array.ravel()]}


def saved(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return base64.b64encode(buffer.getvalue()).decode()


def npz(save):
    buffer = io.BytesIO()
    save(buffer, weights=np.arange(6, dtype="<f4").reshape(2, 3), labels=np.array([7, -1], dtype="<i8"))
    return base64.b64encode(buffer.getvalue()).decode()


numbers = np.array([[0, 1, 2], [250, 100, 7]])
arrays = [npy(numbers.astype(t)) for t in
          ("|u1", "|b1", "<u2", ">u2", "<i2", "<u4", ">i4", "<i8", ">u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8")]
arrays += [npy(np.array([-5, 127], dtype="|i1")), npy(np.array(3.5)), npy(np.zeros((0, 4), dtype="<f4")),
           npy(np.array([np.inf, -np.inf, 6e-8, -0.0, 65504], dtype="<f2"))]
arrays += [npy(np.asfortranarray(np.arange(24, dtype="<i4").reshape(2, 3, 4))), npy(np.asfortranarray(numbers.astype(">f8")))]
arrays += [npy(numbers.astype("<f4"), version) for version in ((1, 0), (2, 0), (3, 0))]
files = {"npy": arrays, "npz": npz(np.savez), "npzCompressed": npz(np.savez_compressed)}
for name, array in {"text": np.array(["a", "bc"]), "records": np.zeros(2, dtype=[("a", "<f4")]), "complex": np.zeros(2, "<c8")}.items():
    files[name] = saved(array)
files["objects"] = saved(np.array([{}, None], dtype=object))


def table(bunch):
    weights = 1 + np.arange(len(bunch.data)) % 7
    return {"rows": len(bunch.data), "columns": bunch.data.shape[1], "first": bunch.data[0].tolist(), "last": bunch.data[-1].tolist(),
            "sums": (weights @ bunch.data).tolist(), "targets": float(weights @ bunch.target)}


sets = {"iris": table(load_iris()), "wine": table(load_wine()), "breastCancer": table(load_breast_cancer()),
        "diabetes": table(load_diabetes()), "diabetesRaw": table(load_diabetes(scaled=False))}
out = pathlib.Path(__file__).parents[2] / "test" / "fixtures" / "data.json"
out.write_text(json.dumps({"classes": classes.tolist(), "groups": groups.tolist(), "folds": folds, "distributed": distributed, "files": files, "sets": sets}) + "\n")
