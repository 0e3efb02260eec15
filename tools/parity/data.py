"""Writes test/fixtures/data.json: folds of scikit-learn's splitters without shuffling, and orders of PyTorch's
DistributedSampler. Run with any recent scikit-learn and PyTorch: python tools/parity/data.py
"""
import json
import pathlib
import numpy as np
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
out = pathlib.Path(__file__).parents[2] / "test" / "fixtures" / "data.json"
out.write_text(json.dumps({"classes": classes.tolist(), "groups": groups.tolist(), "folds": folds, "distributed": distributed}) + "\n")
