"""Pictures in a frame as Ultralytics' LetterBox makes them of OpenCV's images, and boxes back in the picture → test/fixtures/letterbox.json.

    pip install numpy opencv-python-headless
    python tools/parity/letterbox.py

The steps are those of its LetterBox (auto=False, center as asked) and scale_boxes: a scale that makes the whole picture fit, sides rounded, bilinear
neighbours without averaging, a border of 114.
"""
import json
import pathlib
import sys

import cv2
import numpy as np

PATH = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "letterbox.json"
EVERY = 37


def picture(height, width, channels=3):
    """As tools/parity/preprocessing.py makes them."""
    seed = height * 1000 + width
    out = np.empty((channels, height, width), np.uint8)
    for at in range(out.size):
        seed = (seed * 1103515245 + 12345) % 2**31
        wave = ((at % width) * 5 + (at // width) * 3) % 256
        out.flat[at] = (wave + (seed >> 16) % 64) % 256
    return out


def letterbox(image, frame, center):
    height, width = image.shape[:2]
    scale = min(frame[0] / height, frame[1] / width)
    size = round(width * scale), round(height * scale)
    free = [(frame[1] - size[0]), (frame[0] - size[1])]
    if center:
        free = [free[0] / 2, free[1] / 2]
    if (width, height) != size:
        image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    top, bottom = round(free[1] - 0.1) if center else 0, round(free[1] + 0.1)
    left, right = round(free[0] - 0.1) if center else 0, round(free[0] + 0.1)
    return cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(114, 114, 114))


def scale_boxes(frame, boxes, size, center):
    gain = min(frame[0] / size[0], frame[1] / size[1])
    pad = [round((frame[i] - round(size[i] * gain)) / 2 - 0.1) if center else 0 for i in (1, 0)]
    out = (np.array(boxes) - [pad[0], pad[1], pad[0], pad[1]]) / gain
    return np.clip(out, 0, [size[1], size[0], size[1], size[0]])


def main():
    boxes = [[1.0, 2.0, 10.5, 20.0], [-5.0, 0.0, 70.0, 90.0], [20.0, 21.0, 30.0, 40.0]]
    rows = []
    for size, frame, center in [((23, 31), (64, 64), True), ((50, 31), (32, 48), True), ((48, 96), (32, 64), False), ((37, 41), (40, 41), True)]:
        x = letterbox(np.ascontiguousarray(picture(*size).transpose(1, 2, 0)), frame, center).transpose(2, 0, 1)
        assert x.shape[1:] == frame, (x.shape, frame)
        back = scale_boxes(frame, boxes, size, center)
        rows.append({"size": size, "frame": frame, "place": "middle" if center else "corner", "some": x.flatten()[::EVERY].tolist(), "back": np.round(back, 6).tolist()})
    PATH.write_text(json.dumps({"every": EVERY, "boxes": boxes, "rows": rows}) + "\n")


sys.exit(main())
