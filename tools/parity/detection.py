"""Default boxes of single-shot detectors: what torchvision computes → test/fixtures/detection.json.

    pip install torch torchvision
    python tools/parity/detection.py
"""
import json
import pathlib
import torch
import torchvision
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList

ROOT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"
CASES = [
    ([60, 80], [[3, 4], [2, 2], [1, 1]], {"aspectRatios": [[2], [2, 3], [2]]}),
    ([30, 30], [[4, 4], [2, 2]], {"aspectRatios": [[2], [2, 3]], "scales": [0.07, 0.15, 0.33], "steps": [8, 16]}),
    ([32, 48], [[2, 3]], {"aspectRatios": [[3]], "minRatio": 0.4, "maxRatio": 1.1, "clip": False}),
]
defaults = []
for image, maps, options in CASES:
    names = {"aspectRatios": "aspect_ratios", "minRatio": "min_ratio", "maxRatio": "max_ratio"}
    generator = DefaultBoxGenerator(**{names.get(k, k): v for k, v in options.items()})
    images = ImageList(torch.zeros(1, 3, *image), [tuple(image)])
    boxes = generator(images, [torch.zeros(1, 1, *size) for size in maps])[0]
    defaults.append({"image": image, "maps": maps, "options": options, "boxes": [float(f"{v:.8g}") for v in boxes.flatten().tolist()]})
note = f"made by tools/parity/detection.py with torchvision {torchvision.__version__.split('+')[0]}"
(ROOT / "detection.json").write_text(json.dumps({"note": note, "defaults": defaults}, separators=(",", ":")) + "\n")
