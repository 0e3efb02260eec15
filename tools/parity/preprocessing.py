"""What Pillow, torchvision and transformers make of small pictures → test/fixtures/preprocessing.json.

    pip install torchvision transformers pillow
    python tools/parity/preprocessing.py

`resize`: bytes of Pillow's resize, every filter, up and down. `recipes`: the input of torchvision's networks (weights.transforms() of the first
weights), of which every 499th number and the sum of absolute values are kept. `configs`: entries of preprocessor_config.json and what
transformers' Pillow processors make, kept likewise.
"""
import base64
import hashlib
import json
import pathlib
import sys

sys.path.pop(0)
import numpy as np
import torch
import torchvision
import transformers
from PIL import Image
from torchvision import models

ROOT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"
EVERY = 499


def picture(height, width, channels=3):
    """Waves, with noise of a congruential generator, so that every value range occurs and the reader can make it, too."""
    seed = height * 1000 + width
    out = np.empty((channels, height, width), np.uint8)
    for at in range(out.size):
        seed = (seed * 1103515245 + 12345) % 2**31
        wave = ((at % width) * 5 + (at // width) * 3) % 256
        out.flat[at] = (wave + (seed >> 16) % 64) % 256
    return out


def pil(image):
    return Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))) if image.shape[0] == 3 else Image.fromarray(image[0])


def sampled(x):
    x = np.asarray(x, np.float64)
    return {"shape": list(x.shape), "some": [float(f"{v:.9g}") for v in x.flatten()[::EVERY]], "sum": float(np.abs(x).sum())}


FILTERS = {
    "nearest-exact": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS, "box": Image.Resampling.BOX, "hamming": Image.Resampling.HAMMING,
}
SIZES = [((23, 31), (9, 12)), ((23, 31), (40, 50)), ((23, 31), (23, 11)), ((23, 31), (64, 7)), ((1, 40), (3, 3))]
resize = []
for (h, w), (oh, ow) in SIZES:
    for name, kind in FILTERS.items():
        out = np.asarray(pil(picture(h, w)).resize((ow, oh), kind)).transpose(2, 0, 1)
        resize.append([[h, w], [oh, ow], name, base64.b64encode(np.ascontiguousarray(out).tobytes()).decode()])

ENUMS = {
    "alexnet": models.AlexNet_Weights, "vgg": models.VGG16_Weights, "resnet": models.ResNet50_Weights, "resnext": models.ResNeXt50_32X4D_Weights,
    "wide-resnet": models.Wide_ResNet50_2_Weights, "googlenet": models.GoogLeNet_Weights, "inception-v3": models.Inception_V3_Weights,
    "densenet": models.DenseNet121_Weights, "squeezenet": models.SqueezeNet1_0_Weights, "mobilenet-v2": models.MobileNet_V2_Weights,
    "mobilenet-v3": models.MobileNet_V3_Large_Weights, "shufflenet-v2": models.ShuffleNet_V2_X1_0_Weights, "mnasnet": models.MNASNet1_0_Weights,
    "regnet": models.RegNet_Y_400MF_Weights, "convnext-tiny": models.ConvNeXt_Tiny_Weights, "convnext-small": models.ConvNeXt_Small_Weights,
    "convnext-base": models.ConvNeXt_Base_Weights, "convnext-large": models.ConvNeXt_Large_Weights, "vit-b-16": models.ViT_B_16_Weights,
    "vit-b-32": models.ViT_B_32_Weights, "vit-l-16": models.ViT_L_16_Weights, "vit-l-32": models.ViT_L_32_Weights, "swin-t": models.Swin_T_Weights,
    "swin-s": models.Swin_S_Weights, "swin-b": models.Swin_B_Weights, "swin-v2-t": models.Swin_V2_T_Weights, "swin-v2-s": models.Swin_V2_S_Weights,
    "swin-v2-b": models.Swin_V2_B_Weights, "efficientnet-v2-s": models.EfficientNet_V2_S_Weights,
    "efficientnet-v2-m": models.EfficientNet_V2_M_Weights, "efficientnet-v2-l": models.EfficientNet_V2_L_Weights,
    "segmentation": models.segmentation.FCN_ResNet50_Weights,
    **{f"efficientnet-b{i}": getattr(models, f"EfficientNet_B{i}_Weights") for i in range(8)},
}
# what a row says is compared for all; numbers, for a few whose rows differ
rows, recipes = {}, []
for name, enum in ENUMS.items():
    t = list(enum)[0].transforms()
    rows[name] = {
        "resize": t.resize_size[0], "crop": getattr(t, "crop_size", [None])[0], "mean": list(t.mean), "std": list(t.std),
        "interpolation": t.interpolation.value,
    }
rows["imagenet-v2"] = {**rows["resnet"], "resize": models.ResNet50_Weights.IMAGENET1K_V2.transforms().resize_size[0]}
for name, size in [("resnet", (75, 133)), ("resnet", (301, 260)), ("efficientnet-b0", (90, 61)), ("swin-s", (120, 130)), ("segmentation", (20, 31))]:
    recipes.append([name, list(size), sampled(list(ENUMS[name])[0].transforms()(pil(picture(*size))))])

CONFIGS = [
    {"image_processor_type": "ViTImageProcessor"},
    {"feature_extractor_type": "ViTFeatureExtractor", "size": 96, "resample": 3, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]},
    {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 64}, "crop_size": {"height": 57, "width": 64}},
    {"feature_extractor_type": "CLIPFeatureExtractor", "size": 64, "crop_size": 81, "resample": 3, "do_resize": True},
    {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 72}, "crop_pct": 0.875},
    {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}},
    {"image_processor_type": "DeiTImageProcessor", "size": {"height": 80, "width": 90}, "crop_size": {"height": 71, "width": 64}},
    {"image_processor_type": "BeitImageProcessor", "size": {"height": 64, "width": 64}, "do_center_crop": True, "crop_size": {"height": 48, "width": 48}, "resample": 2},
    {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 66}, "crop_size": {"height": 55, "width": 55}, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]},
    {"image_processor_type": "SiglipImageProcessor", "size": {"height": 60, "width": 61}},
    {"image_processor_type": "LevitImageProcessor", "size": {"shortest_edge": 70}, "crop_size": {"height": 64, "width": 64}},
    {"image_processor_type": "MobileNetV2ImageProcessor"},
    {"image_processor_type": "MobileViTImageProcessor", "size": {"shortest_edge": 70}, "crop_size": {"height": 64, "width": 64}},
    {"image_processor_type": "PvtImageProcessor", "size": {"height": 64, "width": 64}},
    {"image_processor_type": "PoolFormerImageProcessor", "size": {"shortest_edge": 70}, "crop_size": {"height": 64, "width": 64}},
    {"image_processor_type": "SegformerImageProcessor", "size": {"height": 64, "width": 96}},
    {"image_processor_type": "BlipImageProcessor", "size": {"height": 64, "width": 64}},
    {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 65, "width": 64}, "resample": 0, "rescale_offset": True},
    {"image_processor_type": "ViTImageProcessor", "do_resize": False, "do_normalize": False, "rescale_factor": 0.5},
]
configs = []
for config in CONFIGS:
    kind = config.get("image_processor_type") or config["feature_extractor_type"]
    cls = getattr(transformers, kind.replace("FeatureExtractor", "ImageProcessor") + "Pil")
    rest = {k: v for k, v in config.items() if not k.endswith("_type")}
    size = (61, 97)
    out = cls(**rest)(pil(picture(*size)), return_tensors="np")["pixel_values"][0]
    configs.append([config, list(size), sampled(out)])

versions = f"torchvision {torchvision.__version__.split('+')[0]}, transformers {transformers.__version__}, Pillow {Image.__version__}"
digest = lambda names: hashlib.sha256("\n".join(names).encode()).hexdigest()
names = {"imagenet": digest(models.ResNet50_Weights.IMAGENET1K_V1.meta["categories"])}
names["coco"] = digest(models.detection.FasterRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"])
fixture = {"note": f"made by tools/parity/preprocessing.py with {versions}", "every": EVERY, "resize": resize, "rows": rows, "recipes": recipes, "configs": configs, "names": names}
path = ROOT / "preprocessing.json"
path.write_text(json.dumps(fixture, separators=(",", ":")) + "\n")
print(path.stat().st_size, "bytes")
