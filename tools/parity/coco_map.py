"""Writes test/fixtures/coco-map.json: boxes of detectors that are made up, and what pycocotools' COCOeval says of them.

    python tools/parity/coco_map.py          # needs numpy, pycocotools
"""

import contextlib
import io
import json
from pathlib import Path

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CLASSES = 3


def scene(rng, size, ties):
    """Boxes of an image: objects (some of them crowds), and detections near them or anywhere, some with equal scores."""
    truth, found = [], []
    for _ in range(rng.integers(0, 6)):
        x, y = rng.uniform(0, 0.7 * size, 2)
        w, h = np.exp(rng.uniform(np.log(6), np.log(0.6 * size), 2))
        index = int(rng.integers(CLASSES))
        crowd = bool(rng.uniform() < 0.08)
        truth.append({"box": [x, y, x + w, y + h], "index": index, "isCrowd": crowd})
        for _ in range(rng.integers(0, 3)):
            spread = rng.choice([0.02, 0.08, 0.3])
            dx, dy, dw, dh = rng.normal(0, spread, 4)
            bx, by, bw, bh = x + dx * w, y + dy * h, w * np.exp(dw), h * np.exp(dh)
            said = index if rng.uniform() < 0.9 else int(rng.integers(CLASSES))
            found.append({"box": [bx, by, bx + bw, by + bh], "index": said})
    for _ in range(rng.integers(0, 3)):
        x, y = rng.uniform(0, 0.8 * size, 2)
        w, h = rng.uniform(5, 0.4 * size, 2)
        found.append({"box": [x, y, x + w, y + h], "index": int(rng.integers(CLASSES))})
    for box in found:
        box["score"] = float(rng.integers(1, 6) / 5 if ties else rng.uniform())
    for box in truth + found:
        box["box"] = [round(float(v), 2) for v in box["box"]]
    for box in found:
        box["score"] = round(box["score"], 3)
    return {"truth": truth, "found": found}


def evaluate(images, most):
    coco, annotations, results = COCO(), [], []
    for i, image in enumerate(images):
        for box in image["truth"]:
            x1, y1, x2, y2 = box["box"]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": i,
                    "category_id": box["index"],
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": (x2 - x1) * (y2 - y1),
                    "iscrowd": int(box["isCrowd"]),
                }
            )
        for box in image["found"]:
            x1, y1, x2, y2 = box["box"]
            results.append(
                {
                    "image_id": i,
                    "category_id": box["index"],
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "score": box["score"],
                }
            )
    coco.dataset = {
        "images": [{"id": i} for i in range(len(images))],
        "annotations": annotations,
        "categories": [{"id": k} for k in range(CLASSES)],
        "info": {},
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(results), "bbox")
        run.params.maxDets = [most]
        run.evaluate()
        run.accumulate()
    precision, recall = run.eval["precision"], run.eval["recall"]  # [T, R, K, A, M], [T, K, A, M]

    def mean(values):
        values = values[values > -1]
        return float(values.mean()) if values.size else None

    return {
        "map": mean(precision[:, :, :, 0, 0]),
        "map50": mean(precision[0, :, :, 0, 0]),
        "map75": mean(precision[5, :, :, 0, 0]),
        "small": mean(precision[:, :, :, 1, 0]),
        "medium": mean(precision[:, :, :, 2, 0]),
        "large": mean(precision[:, :, :, 3, 0]),
        "recall": mean(recall[:, :, 0, 0]),
        "perClass": [mean(precision[:, :, k, 0, 0]) for k in range(CLASSES)],
    }


def main():
    rng = np.random.default_rng(0)
    cases = []
    for size, count, ties, most in [(300, 30, False, 100), (300, 20, True, 100), (60, 20, False, 100), (200, 12, False, 2)]:
        images = [scene(rng, size, ties) for _ in range(count)]
        cases.append({"images": images, "maxDetections": most, "wanted": evaluate(images, most)})
    path = Path(__file__).parents[2] / "test" / "fixtures" / "coco-map.json"
    path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    print(path, [case["wanted"] for case in cases])


main()
