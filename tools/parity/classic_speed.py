"""k-means, PCA, nearest neighbours and softmax regression of scikit-learn on MNIST, by CPU time; tools/parity/classic_speed.mjs does the same.

python tools/parity/classic_speed.py [rows] [one]     (NABLA_DATA says where MNIST is)
"""
import gzip
import os
import sys
import time
import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

rows = int(sys.argv[1]) if len(sys.argv) > 1 else 60_000
only = sys.argv[2] if len(sys.argv) > 2 else None
folder = os.path.join(os.environ["NABLA_DATA"], "mnist")


def load(name, skip, width):
    with gzip.open(os.path.join(folder, name)) as f:
        return np.frombuffer(f.read()[skip:], np.uint8).reshape(-1, *width)


a = load("train-images-idx3-ubyte.gz", 16, (784,))[:rows].astype(np.float32) / np.float32(255)
ya = load("train-labels-idx1-ubyte.gz", 8, ())[:rows]
b = load("t10k-images-idx3-ubyte.gz", 16, (784,))[: min(10_000, rows)].astype(np.float32) / np.float32(255)
yb = load("t10k-labels-idx1-ubyte.gz", 8, ())[: min(10_000, rows)]


def timed(name, run):
    if only not in (None, name):
        return
    cpu, wall = time.process_time(), time.perf_counter()
    result = run()
    print(f"{name}: {time.process_time() - cpu:.2f} s CPU, {time.perf_counter() - wall:.2f} s wall; {result}", flush=True)


def kmeans():
    m = KMeans(10, init=a[:10], n_init=1, max_iter=30, tol=0, algorithm="lloyd").fit(a)
    return f"inertia {m.inertia_:.0f} after {m.n_iter_}"


def pca():
    m = PCA(50).fit(a)
    m.transform(a)
    return f"keeps {m.explained_variance_ratio_.sum():.5f} ({m._fit_svd_solver})"


def softmax():
    m = LogisticRegression(max_iter=50, tol=1e-4).fit(a, ya)
    return f"score {m.score(b, yb):.4f} after {m.n_iter_[0]}"


def knn():
    m = KNeighborsClassifier(5, algorithm="brute").fit(a, ya)
    return f"score {m.score(b, yb):.4f}"


for name, run in [("kmeans", kmeans), ("pca", pca), ("softmax", softmax), ("knn", knn)]:
    timed(name, run)
