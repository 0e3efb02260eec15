"""Writes test/fixtures/tracking.json: films that are made up, tracks that lose, swap and invent objects, and py-motmetrics' scores of them.

    python tools/parity/tracking.py          # needs numpy, motmetrics
"""

import json
from pathlib import Path

import motmetrics as mm
import numpy as np


def film(rng, objects, frames, misses, alarms, swaps, spread):
    """Objects on straight lines; tracks follow them with noise, leave some out, change names, and invent some."""
    at, speed = rng.uniform(0, 30, (objects, 2)), rng.normal(0, 1.0, (objects, 2))
    names = np.arange(100, 100 + objects)
    following = int(names.max()) + 1
    out = []
    for t in range(frames):
        truth, found = [], []
        for i in range(objects):
            if t < i or t > frames - i // 2:  # they come and go
                continue
            place = at[i] + t * speed[i]
            truth.append([i, *place])
            if rng.uniform() < swaps:
                j = int(rng.integers(objects))
                names[i], names[j] = names[j], names[i]
            if rng.uniform() < swaps:
                names[i], following = following, following + 1
            if rng.uniform() > misses:
                found.append([int(names[i]), *(place + rng.normal(0, spread, 2))])
        for _ in range(rng.poisson(alarms)):
            found.append([int(1000 + rng.integers(3)), *rng.uniform(0, 30, 2)])
        seen, unique = set(), []
        for row in found:
            if row[0] not in seen:
                unique.append(row)
            seen.add(row[0])
        rounded = lambda rows: [[row[0], *(round(float(v), 3) for v in row[1:])] for row in rows]
        out.append({"truth": rounded(truth), "found": rounded(unique)})
    return out


def scores(frames, most):
    acc = mm.MOTAccumulator(auto_id=True)
    for frame in frames:
        truth, found = frame["truth"], frame["found"]
        distances = np.full((len(truth), len(found)), np.nan)
        for i, a in enumerate(truth):
            for j, b in enumerate(found):
                d = np.hypot(a[1] - b[1], a[2] - b[2])
                if d <= most:
                    distances[i, j] = d
        acc.update([a[0] for a in truth], [b[0] for b in found], distances)
    names = ["mota", "idf1", "idp", "idr", "num_misses", "num_false_positives", "num_switches", "num_objects"]
    row = mm.metrics.create().compute(acc, metrics=names, name="film").iloc[0]
    own = ["mota", "idf1", "idPrecision", "idRecall", "misses", "falseAlarms", "switches", "objects"]
    return {name: float(row[key]) for name, key in zip(own, names)}


def main():
    rng = np.random.default_rng(0)
    cases = []
    for objects, frames, misses, alarms, swaps, spread, most in [
        (5, 20, 0.1, 0.3, 0.03, 0.3, 2.0),
        (8, 15, 0.2, 1.0, 0.1, 0.8, 2.0),
        (3, 12, 0.0, 0.0, 0.0, 0.1, 1.0),
        (10, 12, 0.3, 2.0, 0.2, 1.5, 5.0),
    ]:
        made = film(rng, objects, frames, misses, alarms, swaps, spread)
        cases.append({"maxDistance": most, "frames": made, "wanted": scores(made, most)})
    path = Path(__file__).parents[2] / "test" / "fixtures" / "tracking.json"
    path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    print(path, [case["wanted"] for case in cases])


main()
