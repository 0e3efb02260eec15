"""The model zoo with weights made by a rule: what torchvision and timm compute from them → test/fixtures/zoo.json.

    pip install torch torchvision timm
    python tools/parity/zoo.py             # all of it: many minutes, 4 GB of memory
    python tools/parity/zoo.py resnet18    # some, into the file that is there

The rule. u01(seed, n): n numbers in [0, 1) of a counter-based hash. The tensor at position i of the state dict (every key counts) gets
v = 2 u01(1000 + i, numel) - 1 in row-major order, times and plus what `fill` says, in float64, rounded to float32. Integers stay. Images
are 2 u01(1, numel) - 1, labels floor(u01(2, n) * classes).
Digests are of float64 results: shape, the first numbers, mean, standard deviation, largest magnitude, and proj = sum x u01(7, numel), which
a wrong order changes. "noise" is how far PyTorch's own float32 is from float64, relative to the largest magnitude.
"train": one step of SGD (0.01, momentum 0.9) in training mode without dropout, cross-entropy (auxiliary logits times 0.3).
"""
import json
import math
import pathlib
import sys
import warnings
import numpy as np
import timm
import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision
import torchvision.models as V
import torchvision.models.detection as D
import torchvision.models.segmentation as S
from torchvision.models.detection.image_list import ImageList
from model_numbers import describe, digest, u01

warnings.filterwarnings("ignore")
PATH = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "zoo.json"
ROOT2 = math.sqrt(2)


def fill(model, gain):
    for i, (key, t) in enumerate(model.state_dict().items()):
        if not t.is_floating_point():
            continue
        v = 2 * u01(1000 + i, t.numel()) - 1
        if key.endswith("running_mean"):
            v = 0.1 * v
        elif key.endswith("running_var"):
            v = 1 + 0.5 * v
        elif t.dim() <= 1:
            v = 1 + 0.25 * v if key.endswith("weight") else 0.1 * v
        else:
            v = gain * math.sqrt(3 / (t.numel() / t.shape[0])) * v
        t.copy_(torch.from_numpy(v.astype(np.float32).reshape(t.shape)))
    return model.eval()


def images(shape):
    return torch.from_numpy((2 * u01(1, math.prod(shape)) - 1).astype(np.float32).reshape(shape))


def both(compute):
    """Digests of what `compute(dtype)` gives by name, with the noise of float32."""
    wide, single = compute(torch.float64), compute(torch.float32)
    return {k: digest(v, single[k]) for k, v in wide.items()}


def step(build, gain, x, y, grads):
    """One step: loss, gradients, loss and logits after it."""
    model = fill(build(), gain).to(x.dtype).train()
    for m in model.modules():
        if isinstance(m, nn.modules.dropout._DropoutNd):
            m.p = 0.0
        if isinstance(m, nn.Hardsigmoid):  # PyTorch's own derivative has 1/6 rounded to float32
            m.forward = lambda t: F.relu6(t + 3) / 6
    def loss():
        out = model(x)
        if not isinstance(out, tuple):
            return F.cross_entropy(out, y)
        return F.cross_entropy(out[0], y) + 0.3 * sum(F.cross_entropy(a, y) for a in out[1:])
    optimizer = torch.optim.SGD(model.parameters(), 0.01, 0.9)
    before = loss()
    before.backward()
    found = {k: dict(model.named_parameters())[k].grad.clone() for k in grads}
    optimizer.step()
    after = loss().item()
    with torch.no_grad():
        logits = model.eval()(x)
    return before.item(), found, after, logits


def network(build, size=64, batch=2, gain=ROOT2, grads=None):
    def run():
        x = images((batch, 3, size, size))
        model = fill(build(), gain)
        row = dict(gain=gain, input=list(x.shape), **describe(model))
        def outputs(dtype):
            with torch.no_grad():
                y = model.to(dtype)(x.to(dtype))
            return y if isinstance(y, dict) else {"logits": y}
        row["outputs"] = both(outputs)
        if grads:
            y = torch.from_numpy(np.floor(u01(2, batch) * row["outputs"]["logits"]["shape"][1]).astype(np.int64))
            loss, wide, after, logits = step(build, gain, x.double(), y, grads)
            loss32, single, after32, logits32 = step(build, gain, x, y, grads)
            row["train"] = dict(loss=loss, grads={k: digest(wide[k], single[k]) for k in grads}, loss_after=after, logits_after=digest(logits, logits32))
            row["train"]["noise"] = max(abs(loss32 / loss - 1), abs(after32 / after - 1))
        return row
    return run


def detector():
    """The blocks one by one: a detector with random weights has no stable end result."""
    x, size = images((1, 3, 128, 160)), (128, 160)
    box = torch.tensor([[4.0, 6.0, 60.0, 70.0], [20.0, 10.0, 150.0, 120.0], [0.0, 0.0, 159.0, 127.0], [33.3, 40.1, 47.9, 52.6]])
    model = fill(D.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=21), 1.0)
    def outputs(dtype):
        m, boxes = model.to(dtype), box.to(dtype)
        with torch.no_grad():
            maps = m.backbone(x.to(dtype))
            objectness, deltas = m.rpn.head(list(maps.values()))
            anchors = m.rpn.anchor_generator(ImageList(x.to(dtype), [size]), list(maps.values()))[0]
            flat = lambda t, c: t.reshape(1, -1, c, *t.shape[2:]).permute(0, 3, 4, 1, 2).reshape(1, -1, c)
            pooled = m.roi_heads.box_roi_pool(maps, [boxes], [size])
            features = m.roi_heads.box_head(pooled)
            logits, changes = m.roi_heads.box_predictor(features)
        return {**{f"map {k}": v for k, v in maps.items()}, "objectness": torch.cat([flat(t, 1) for t in objectness], 1).squeeze(2),
                "changes": torch.cat([flat(t, 4) for t in deltas], 1), "anchors": anchors, "pooled": pooled, "features": features, "logits": logits, "box changes": changes}
    return dict(gain=1.0, input=list(x.shape), boxes=box.tolist(), **describe(model), outputs=both(outputs))


def bare(build):
    def run():
        with torch.device("meta"):
            return describe(build())
    return run


def registry():
    tv = lambda name, **k: (lambda: getattr(V, name)(weights=None, **k))
    seg = lambda name, **k: (lambda: getattr(S, name)(weights=None, weights_backbone=None, num_classes=21, **k))
    R = {"alexnet": network(tv("alexnet"))}
    for n in (11, 13, 16, 19):
        R[f"vgg{n}"], R[f"vgg{n}_bn"] = network(tv(f"vgg{n}"), 32), network(tv(f"vgg{n}_bn"), 32)
    R["resnet18"] = network(tv("resnet18"), gain=1.0, grads=["conv1.weight", "layer1.0.bn1.weight", "layer3.0.downsample.0.weight", "fc.bias"])
    for n, gain in [("resnet34", 0.9), ("resnet50", 0.9), ("resnet101", 0.85), ("resnet152", 0.85), ("resnext50_32x4d", 0.9), ("wide_resnet50_2", 0.9)]:
        R[n] = network(tv(n), gain=gain)
    R["googlenet"] = network(tv("googlenet", init_weights=False, aux_logits=True), gain=1.3, grads=["conv1.conv.weight", "inception4a.branch2.1.conv.weight", "aux1.fc1.weight", "fc.weight"])
    R["inception_v3"] = network(tv("inception_v3", init_weights=False, aux_logits=True), 96)
    R["legacy_xception"] = network(lambda: timm.create_model("legacy_xception"), 96, gain=1.0)
    R["efficientnet_b0"] = network(tv("efficientnet_b0"), gain=1.6)
    R["efficientnet_b0_timm"] = network(lambda: timm.create_model("efficientnet_b0"), gain=1.6)
    R["densenet121"] = network(tv("densenet121"), gain=1.3)
    R["mobilenet_v2"] = network(tv("mobilenet_v2"))
    R["mobilenet_v3_small"] = network(tv("mobilenet_v3_small"), gain=1.5, grads=["features.0.0.weight", "features.4.block.2.fc1.weight", "classifier.3.weight"])
    R["mobilenet_v3_large"] = network(tv("mobilenet_v3_large"), gain=1.3)
    for n, gain in [("squeezenet1_0", ROOT2), ("squeezenet1_1", ROOT2), ("shufflenet_v2_x1_0", 1.25), ("convnext_tiny", 0.5), ("swin_t", 1.0)]:
        R[n] = network(tv(n), gain=gain)
    R["vit_b_16"] = network(tv("vit_b_16"), 224, 1, gain=1.0)
    R["vit_small"] = network(lambda: V.VisionTransformer(32, 8, 2, 2, 32, 64, num_classes=10), 32, 4, gain=1.0,
                             grads=["class_token", "conv_proj.weight", "encoder.layers.encoder_layer_0.self_attention.in_proj_weight", "heads.head.weight"])
    R["fcn_resnet50"] = network(seg("fcn_resnet50", aux_loss=True), 64, 1, 0.9)
    R["deeplabv3_resnet50"] = network(seg("deeplabv3_resnet50", aux_loss=True), 64, 1, 0.9)
    R["lraspp_mobilenet_v3_large"] = network(seg("lraspp_mobilenet_v3_large"), 64, 1, 1.3)
    R["fasterrcnn_resnet50_fpn"] = detector
    for n in [*(f"efficientnet_b{i}" for i in range(1, 8)), "densenet161", "densenet169", "densenet201", "shufflenet_v2_x0_5", "convnext_small", "convnext_base",
              "vit_b_32", "vit_l_16", "swin_s", "swin_b"]:
        R[n] = bare(tv(n))
    R["fcn_resnet101"], R["deeplabv3_resnet101"] = bare(seg("fcn_resnet101", aux_loss=False)), bare(seg("deeplabv3_resnet101", aux_loss=False))
    return R


def main():
    R = registry()
    chosen = sys.argv[1:] or list(R)
    rows = json.loads(PATH.read_text())["models"] if sys.argv[1:] and PATH.exists() else {}
    for name in chosen:
        rows[name] = R[name]()
        print(name, rows[name]["parameters"], {k: d.get("noise") for k, d in rows[name].get("outputs", {}).items()}, file=sys.stderr, flush=True)
    versions = f"torch {torch.__version__.split('+')[0]}, torchvision {torchvision.__version__.split('+')[0]}, timm {timm.__version__}"
    lines = [f"{json.dumps(n)}:{json.dumps(rows[n], separators=(',', ':'))}" for n in R if n in rows]
    PATH.write_text(f'{{"note":"made by tools/parity/zoo.py with {versions}",\n"models":{{\n' + ",\n".join(lines) + "\n}}\n")


main()
