"""Writes a fixture: a document of dicts, lists, texts, numbers and tensors → test/fixtures/<name>.safetensors.

The file holds the tensors; the rest of the document is JSON in the file's metadata. A tensor called `a/b/0` stands in the
document at that path (the reader is test/support/fixture.ts). Inputs and parameters are float32 numbers, so that every
device starts from the same; what PyTorch computes from them is float64, and stays so in the file.
"""
import json
import pathlib
import torch
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"


def save(script, name, document):
    tensors = {}
    version = torch.__version__.split("+")[0]
    rest = split({"note": f"made by tools/parity/{script} with PyTorch {version}", **document}, "", tensors)
    ROOT.mkdir(parents=True, exist_ok=True)
    # one entry of metadata: the order of several would change from run to run
    path = ROOT / f"{name}.safetensors"
    save_file(tensors, path, {"document": json.dumps(rest, separators=(",", ":"))})
    path.chmod(0o644)


def split(value, path, tensors):
    """The value without its tensors, which go into `tensors` under their paths; null holds the place of one in a list."""
    join = lambda key: f"{path}/{key}" if path else str(key)
    if isinstance(value, torch.Tensor):
        tensors[path] = stored(value.detach())
        return None
    if isinstance(value, dict):
        assert all("/" not in key for key in value), value.keys()
        parts = {key: split(v, join(key), tensors) for key, v in value.items()}
        return {key: v for key, v in parts.items() if not isinstance(value[key], torch.Tensor)}
    if isinstance(value, (list, tuple)):
        return [split(v, join(i), tensors) for i, v in enumerate(value)]
    return value


def stored(t):
    if t.dtype in (torch.int64, torch.int32):
        t = t.to(torch.int32)
    elif t.dtype == torch.float64 and torch.equal(t.float().double(), t):
        t = t.float()  # nothing is lost
    return t.clone().contiguous()


def rand(*shape):
    return torch.randn(*shape).float().double()


def weighted(y):
    """Different weights for the elements of y, so that no gradient cancels."""
    return (y * torch.cos(torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)).sum()
