"""Right values for generative models → test/fixtures/generative.safetensors:

    python tools/parity/generative.py

Spectral normalisation (PyTorch's own, one forward pass in training and one in evaluation), ᾱ of noise schedules, and the pictures that
DDIM makes with a network that finds 0.3 of what it sees to be noise.
"""
import math
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm
from fixture import save


def schedule(name, steps):
    t = torch.arange(steps, dtype=torch.float64)
    if name == "linear":
        beta = torch.linspace(1e-4, 0.02, steps, dtype=torch.float64) * (1000 / steps)
    else:
        f = lambda s: torch.cos((s / steps + 0.008) / 1.008 * math.pi / 2) ** 2
        beta = (1 - f(t + 1) / f(t)).clamp(max=0.999)
    return torch.cumprod(1 - beta, 0)


def ddim():
    torch.manual_seed(0)
    left = schedule("cosine", 100)
    noise = torch.randn(2, 1, 4, 4).float()
    x = noise.double()
    times = [round((i + 1) * 100 / 5) - 1 for i in range(5)][::-1]
    for i, t in enumerate(times):
        now = left[t]
        after = left[times[i + 1]] if i + 1 < len(times) else torch.tensor(1.0, dtype=torch.float64)
        found = 0.3 * x
        clear = ((x - (1 - now).sqrt() * found) / now.sqrt()).clamp(-1, 1)
        rest = (x - now.sqrt() * clear) / (1 - now).sqrt()
        x = after.sqrt() * clear + (1 - after).sqrt() * rest
    return {"noise": noise, "pictures": (x + 1) / 2}


def normalised(kind, layer, x):
    layer = spectral_norm(layer)
    norm = layer.parametrizations.weight[0]
    before = {"u": norm._u.float().clone(), "v": norm._v.float().clone()}
    norm._u.data.copy_(before["u"])
    norm._v.data.copy_(before["v"])
    weight = layer.parametrizations.weight.original
    y = layer(x)
    (y * torch.arange(y.numel(), dtype=y.dtype).reshape(y.shape).sin()).sum().backward()
    after = {"afterU": norm._u.clone(), "afterV": norm._v.clone()}
    layer.eval()
    return {
        "kind": kind, **before, **after, "x": x.float(), "weight": weight.float(), "bias": layer.bias.float(),
        "y": y, "gradient": weight.grad, "evaluated": layer(x),
    }


def rounded(layer):
    """Parameters that are float32 numbers."""
    layer = layer.float().double()
    return layer


def main():
    torch.manual_seed(1)
    image = torch.randn(2, 3, 5, 5).float().double()
    rows = torch.randn(4, 3).float().double()
    cases = [
        normalised("linear", rounded(nn.Linear(3, 5)), rows),
        normalised("convolution", rounded(nn.Conv2d(3, 4, 3, stride=2, padding=1)), image),
        normalised("transposed", rounded(nn.ConvTranspose2d(3, 2, 4, stride=2, padding=1)), image),
    ]
    schedules = [{"name": name, "steps": steps, "left": schedule(name, steps)} for name, steps in
                 [("cosine", 50), ("linear", 50), ("cosine", 1000)]]
    save("generative.py", "generative", {"spectral": cases, "schedules": schedules, "ddim": ddim()})


main()
