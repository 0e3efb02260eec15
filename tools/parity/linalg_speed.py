"""Factorisations of a square float64 matrix by NumPy's LAPACK, by CPU time; tools/parity/linalg_speed.mjs does the same.

OMP_NUM_THREADS=1 python tools/parity/linalg_speed.py [n] [names]
"""
import sys
import time
import numpy as np

n = int(sys.argv[1]) if len(sys.argv) > 1 else 500
names = (sys.argv[2] if len(sys.argv) > 2 else "eigh,eigvalsh,svd,qr,eig,eigvals").split(",")
general = np.random.default_rng(1).standard_normal((n, n))
symmetric = general + general.T
given = {"eigh": symmetric, "eigvalsh": symmetric}
for name in names:
    times = []
    for _ in range(6):
        begin = time.process_time()
        getattr(np.linalg, name)(given.get(name, general))
        times.append((time.process_time() - begin) * 1e3)
    print(f"{name} {n}: {min(times[1:]):.1f} ms of CPU")
