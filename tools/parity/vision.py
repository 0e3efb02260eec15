"""Boxes, suppression, regions of interest: what torchvision computes → test/fixtures/vision.json.

    pip install torch torchvision
    python tools/parity/vision.py
"""
import json
import pathlib
import torch
import torchvision
from torchvision import ops
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

ROOT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"
torch.manual_seed(0)


def packed(t):
    return {"shape": list(t.shape), "data": [float(f"{x:.8g}") for x in t.detach().double().flatten().tolist()]}


def boxes(n, width=40.0, height=32.0):
    corner = torch.rand(n, 2) * torch.tensor([width * 0.7, height * 0.7])
    size = 2 + torch.rand(n, 2) * torch.tensor([width * 0.3, height * 0.3])
    return torch.cat([corner, corner + size], 1)


def regions(name, x, lists, call, together):
    """A case: the arguments, the result, and the gradient of a weighted sum."""
    x = x.double().requires_grad_()
    given = together if together is not None else lists
    y = call(x, given.double() if torch.is_tensor(given) else [b.double() for b in given])
    weight = torch.cos(torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)
    (grad,) = torch.autograd.grad((y * weight).sum(), x)
    return {"name": name, "out": packed(y), "grad": packed(grad)}


def main():
    a, b = boxes(7), boxes(5)
    many, scores = boxes(48), torch.rand(48)
    classes = torch.randint(0, 4, (48,))
    formats = ["xyxy", "xywh", "cxcywh"]
    anchors = AnchorGenerator(((8,), (16, 24)), ((0.5, 1.0, 2.0),) * 2)
    images = ImageList(torch.zeros(1, 3, 32, 40), [(32, 40)])
    generated = anchors(images, [torch.zeros(1, 1, 4, 5), torch.zeros(1, 1, 2, 3)])[0]
    coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
    encoded = coder.encode_single(a.double(), boxes(7).double())
    torch.manual_seed(1)
    anchor = boxes(7)
    deltas, wide = torch.randn(7, 4), torch.randn(7, 8) * 3

    x = torch.randn(2, 2, 8, 10)
    lists = [torch.cat([boxes(3), torch.tensor([[0.0, 0.0, 40.0, 32.0], [33.3, 20.1, 38.9, 22.6]])]), boxes(2)]
    together = torch.cat([torch.tensor([[1.0], [0.0], [1.0], [0.0]]), boxes(4)], 1)
    cases = []
    for size, scale, sampling, aligned in [(3, 0.25, 2, False), (2, 0.25, -1, False), ((2, 3), 0.2, -1, True)]:
        for given in (together if aligned else None,):
            call = lambda x, g: ops.roi_align(x, g, size, scale, sampling, aligned)
            options = {"spatialScale": scale, "samplingRatio": max(sampling, 0), "aligned": aligned}
            cases.append({"op": "roiAlign", "size": size, "options": options, "together": given is not None, **regions("roiAlign", x, lists, call, given)})
    for size, scale in [(3, 0.25), ((2, 5), 0.1)]:
        for given in (None if size == 3 else together,):
            call = lambda x, g: ops.roi_pool(x, g, size, scale)
            cases.append({"op": "roiPool", "size": size, "options": {"spatialScale": scale}, "together": given is not None, **regions("roiPool", x, lists, call, given)})
    maps = {"0": torch.randn(2, 1, 32, 40), "1": torch.randn(2, 1, 16, 20), "2": torch.randn(2, 1, 8, 10)}
    large = [torch.tensor([[0.0, 0.0, 20.0, 20.0], [5.0, 6.0, 100.0, 120.0], [0.0, 0.0, 160.0, 128.0]]), torch.tensor([[10.0, 10.0, 70.0, 60.0]])]
    pooler = ops.MultiScaleRoIAlign(["0", "1", "2"], 3, 2, canonical_scale=60, canonical_level=3)
    multi = pooler(maps, large, [(128, 160)] * 2)

    document = {
        "note": f"made by tools/parity/vision.py with torchvision {torchvision.__version__.split('+')[0]}",
        "a": packed(a), "b": packed(b),
        "area": packed(ops.box_area(a)), "iou": packed(ops.box_iou(a, b)), "giou": packed(ops.generalized_box_iou(a, b)),
        "convert": {f: {t: packed(ops.box_convert(ops.box_convert(a, "xyxy", f), f, t)) for t in formats} for f in formats},
        "clip": packed(ops.clip_boxes_to_image(a - 5, (20, 24))),
        "many": packed(many), "scores": packed(scores), "classes": classes.tolist(),
        "nms": {str(t): ops.nms(many, scores, t).tolist() for t in (0.1, 0.3, 0.5)},
        "batched": ops.batched_nms(many, scores, classes, 0.3).tolist(),
        "large": ops.remove_small_boxes(many, 6.0).tolist(),
        "anchors": packed(generated), "anchor": packed(anchor), "deltas": packed(deltas), "wide": packed(wide),
        "encoded": packed(coder.encode_single(a.double(), anchor.double())),
        "decoded": packed(coder.decode_single(deltas.double(), anchor.double())),
        "decodedWide": packed(coder.decode_single(wide.double(), anchor.double()).reshape(7, 2, 4)),
        "x": packed(x), "lists": [packed(t) for t in lists], "together": packed(together), "regions": cases,
        "maps": [packed(m) for m in maps.values()], "imageBoxes": [packed(t) for t in large], "multi": packed(multi),
    }
    (ROOT / "vision.json").write_text(json.dumps(document, separators=(",", ":")) + "\n")


main()
