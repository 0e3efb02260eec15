"""Writes src/vision/names/*.ts: the names of classes as torchvision's weights have them (`weights.meta["categories"]`).

    pip install torchvision
    python tools/data/class_names.py
"""
import importlib.util
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2] / "src" / "vision" / "names"
# the list alone, without all of torchvision
folder = pathlib.Path(importlib.util.find_spec("torchvision").origin).parent
spec = importlib.util.spec_from_file_location("meta", folder / "models" / "_meta.py")
meta = importlib.util.module_from_spec(spec)
spec.loader.exec_module(meta)


def write(name, about, names):
    assert not any("|" in n for n in names), "the separator is in a name"
    lines, line = [], ""
    for at, entry in enumerate(names):
        entry += "" if at == len(names) - 1 else "|"
        if len(line) + len(entry) > 120:
            lines.append(line)
            line = ""
        line += entry
    lines.append(line)
    quoted = [f'"{text}"' if "'" in text else f"'{text}'" for text in lines]
    head = f"// {about}, written by tools/data/class_names.py from torchvision's _meta.py.\n\n"
    text = head + "export const names: string =\n  " + " +\n  ".join(quoted) + ";\n"
    (ROOT / f"{name}.ts").write_text(text)
    print(name, len(names), "names,", len(text), "bytes")


ROOT.mkdir(parents=True, exist_ok=True)
write("imagenet", "The 1000 classes of ImageNet (ILSVRC 2012)", meta._IMAGENET_CATEGORIES)
write("coco", "The 91 classes of COCO by their numbers, with the background, and N/A for those that are not used", meta._COCO_CATEGORIES)
write("voc", "The 21 classes of Pascal VOC 2012, with the background", meta._VOC_CATEGORIES)
