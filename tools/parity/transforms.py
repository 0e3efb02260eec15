"""Writes test/fixtures/transforms.json: what torchvision's functional transforms (v2) make of small images, bytes and floats.
Run with any recent PyTorch and torchvision: python tools/parity/transforms.py

A case is [name, arguments, image, result shape, result in base64]; bytes are uint8, floats little-endian float32.
Angles and shears are such that no source coordinate is halfway between two pixels: there float32 decides by chance.
"""
import base64
import json
import pathlib
import sys

sys.path.pop(0)  # a dependency of torchvision asks whether there is a module "pytorch"; it must not find the script beside this one
import torch
import torchvision
from torchvision.transforms.v2 import functional as F, InterpolationMode as I

torch.manual_seed(0)


def picture(c, h, w):
    """Smooth, with noise and a bright and a dark corner, so that every value range occurs."""
    y, x = torch.meshgrid(torch.linspace(0, 1, h), torch.linspace(0, 1, w), indexing="ij")
    planes = [0.5 + 0.5 * torch.sin(3 * x + 2 * k) * torch.cos(4 * y - k) for k in range(c)]
    image = (torch.stack(planes) + 0.15 * torch.randn(c, h, w)).clamp(0, 1)
    image[:, :2, :2], image[:, -2:, -2:] = 0, 1
    return image.mul(255).round().to(torch.uint8)


rgb, grey, wide = picture(3, 11, 13), picture(1, 9, 9), picture(3, 24, 17)
unit = lambda image: image.float() / 255
floats = picture(3, 7, 8)
images = {"rgb": rgb, "grey": grey, "wide": wide, "float": unit(floats), "greyfloat": unit(picture(1, 6, 7))}
modes = {"nearest": I.NEAREST, "bilinear": I.BILINEAR, "bicubic": I.BICUBIC}


def filled(x, fill, mode, warp):
    """With a fill torchvision counts what lies outside twice in bilinear edge pixels (F.rotate with fill=0 is darker there than
    with fill=None). Interpolating between pixels and fill is the same as warping what exceeds the fill, without one."""
    if mode == "nearest":
        return warp(x, fill)
    level = torch.tensor(fill if isinstance(fill, list) else [fill] * x.shape[0]).float()[:, None, None]
    out = warp(x.float() - level, None) + level
    return out if x.is_floating_point() else out.round().to(torch.uint8)


OPS = {
    "horizontalFlip": lambda x: F.horizontal_flip(x),
    "verticalFlip": lambda x: F.vertical_flip(x),
    "crop": lambda x, t, l, h, w: F.crop(x, t, l, h, w),
    "centerCrop": lambda x, h, w: F.center_crop(x, [h, w]),
    "pad": lambda x, sides, fill, mode: F.pad(x, sides, fill=fill, padding_mode=mode),
    "fiveCrop": lambda x, h, w: torch.cat(F.five_crop(x, [h, w])),
    "tenCrop": lambda x, h, w, vertical: torch.cat(F.ten_crop(x, [h, w], vertical_flip=vertical)),
    "resize": lambda x, size, mode, antialias: F.resize(x, size, interpolation=modes[mode], antialias=antialias),
    "rotate": lambda x, angle, mode, expand, fill, center:
        filled(x, fill, mode, lambda y, f: F.rotate(y, angle, modes[mode], expand, center, f)),
    "affine": lambda x, angle, translate, scale, shear, mode, fill, center:
        filled(x, fill, mode, lambda y, f: F.affine(y, angle, translate, scale, shear, modes[mode], f, center)),
    "perspective": lambda x, start, end, mode, fill:
        filled(x, fill, mode, lambda y, f: F.perspective(y, start, end, modes[mode], f)),
    "adjustBrightness": F.adjust_brightness,
    "adjustContrast": F.adjust_contrast,
    "adjustSaturation": F.adjust_saturation,
    "adjustHue": F.adjust_hue,
    "adjustGamma": F.adjust_gamma,
    "adjustSharpness": F.adjust_sharpness,
    "toGrayscale": lambda x, n: F.rgb_to_grayscale(x, n),
    "invert": lambda x: F.invert(x),
    "posterize": F.posterize,
    "solarize": F.solarize,
    "autocontrast": lambda x: F.autocontrast(x),
    "equalize": lambda x: F.equalize(x),
    "gaussianBlur": lambda x, size, sigma: F.gaussian_blur(x, [size, size], None if sigma is None else [sigma, sigma]),
    "erase": lambda x, t, l, h, w, value: F.erase(x, t, l, h, w, torch.tensor(value)[:, None, None].to(x.dtype)),
    "toFloat": lambda x: F.to_dtype(x, torch.float32, scale=True),
    "toBytes": lambda x: F.to_dtype(x, torch.uint8, scale=True),
    "normalize": lambda x, mean, std: F.normalize(F.to_dtype(x, torch.float32, scale=True), mean, std),
}
cases = []


def case(op, *args, on=("rgb", "float")):
    for name in on:
        out = OPS[op](images[name], *args).contiguous()
        data = out.numpy().astype("uint8" if out.dtype == torch.uint8 else "<f4").tobytes()
        cases.append([op, list(args), name, list(out.shape), base64.b64encode(data).decode()])


everything = ("rgb", "grey", "float")
for op in ["horizontalFlip", "verticalFlip", "invert", "toFloat", "toBytes"]:
    case(op)
for box in [(1, 2, 4, 5), (-2, 3, 6, 9), (0, 0, 20, 20)]:
    case("crop", *box)
for size in [(4, 4), (5, 6), (14, 6), (13, 16)]:
    case("centerCrop", *size)
for mode in ["constant", "edge", "reflect", "symmetric"]:
    case("pad", [1, 2, 3, 4], 0, mode)
case("pad", [2, 0, 1, 3], 1, "constant")
case("fiveCrop", 4, 5, on=("rgb",))
case("tenCrop", 4, 3, False, on=("grey",))
case("tenCrop", 4, 3, True, on=("grey",))
for size in [[5, 6], [17, 15], 8]:
    case("resize", size, "nearest", False)
    for mode in ["bilinear", "bicubic"]:
        for antialias in [True, False]:
            case("resize", size, mode, antialias)
case("resize", 6, "bilinear", True, on=("wide", "grey", "greyfloat"))
for mode in ["nearest", "bilinear"]:
    case("rotate", 23.0, mode, False, 0, None)
    case("rotate", -71.0, mode, True, [0.25] * 3, None, on=("float",))
    case("rotate", -71.0, mode, True, [200, 7, 90], None, on=("rgb",))
    case("rotate", 200.0, mode, False, 0, [3.3, 4.1])
    case("affine", 17.0, [2.3, -1.1], 1.2, [9.0, -4.0], mode, 0, None)
    case("affine", 0.0, [0.0, 0.0], 1.0, [17.3, 0.0], mode, 1, [0.1, 0.2])
    case("affine", -30.0, [1.0, 3.0], 0.7, [0.0, 0.0], mode, 0, [5.2, 1.3], on=("grey", "float"))
    case("perspective", [[0, 0], [7, 0], [7, 6], [0, 6]], [[1, 0], [6, 1], [7, 5], [1, 6]], mode, 0, on=("float",))
    case("perspective", [[0, 0], [12, 0], [12, 10], [0, 10]], [[3, 1], [9, 2], [12, 8], [1, 10]], mode, 5, on=("rgb",))
for angle in [0.0, 90.0, 180.0]:
    case("rotate", angle, "nearest", True, 0, None, on=("rgb",))
case("rotate", 90.0, "bilinear", False, 0, None, on=("grey", "rgb"))
for factor in [0.0, 0.37, 1.0, 1.8]:
    for op in ["adjustBrightness", "adjustContrast", "adjustSharpness"]:
        case(op, factor, on=everything)
    case("adjustSaturation", factor)
for shift in [-0.5, -0.13, 0.0, 0.21, 0.5]:
    case("adjustHue", shift)
case("adjustGamma", 0.6)
case("adjustGamma", 2.2, 1.3)
case("toGrayscale", 1)
case("toGrayscale", 3, on=everything)
for bits in [0, 1, 3, 8]:
    case("posterize", bits)
case("solarize", 100, on=("rgb",))
case("solarize", 0.4, on=("float",))
case("autocontrast", on=everything)
case("equalize", on=("rgb", "grey", "wide", "float"))
case("gaussianBlur", 3, None)
case("gaussianBlur", 5, 1.3, on=everything)
case("erase", 1, 2, 3, 4, [9, 8, 7], on=("rgb",))
case("erase", 2, 0, 3, 9, [0.5, 0.25, 0.0], on=("float",))
case("normalize", [0.49, 0.48, 0.45], [0.25, 0.24, 0.26])

text = {name: [list(image.shape), base64.b64encode(image.numpy().tobytes()).decode()] for name, image in images.items()}
note = f"made by tools/parity/transforms.py with torchvision {torchvision.__version__.split('+')[0]}"
fixture = {"note": note, "images": text, "cases": cases}
path = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "transforms.json"
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
print(len(cases), "cases,", path.stat().st_size, "bytes")
