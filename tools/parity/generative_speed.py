"""One update of each generative preset, by turns of half a second with PyTorch (eager): median milliseconds of each, and their ratio.

    python tools/parity/generative_speed.py [--turns 8] [--threads 2] [--only vae]

The same networks, batch sizes, losses and optimisers as the presets; nabla's updates are those of a Trainer, records included.
generative_speed.mjs is the other side.
"""
import argparse
import math
import pathlib
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--turns", type=int, default=8)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--only", default="")
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)
grey = lambda count: torch.rand(count, 1, 28, 28)


def stepping(optimizer, loss_of):
    def update():
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        optimizer.step()
        return loss.item()
    return update


def dcgan(width=32, latent=64):
    cells = 2 * width * 49
    generator = nn.Sequential(
        nn.Linear(latent, cells), nn.BatchNorm1d(cells), nn.ReLU(), nn.Unflatten(1, (2 * width, 7, 7)),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.BatchNorm2d(width), nn.ReLU(),
        nn.ConvTranspose2d(width, 1, 4, 2, 1), nn.Sigmoid())
    discriminator = nn.Sequential(
        nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, 2 * width, 4, 2, 1), nn.BatchNorm2d(2 * width),
        nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(cells, 1))
    adam = lambda net: torch.optim.Adam(net.parameters(), lr=5e-4, betas=(0.5, 0.999))
    first, second = adam(discriminator), adam(generator)
    x, ones, zeros = grey(128), torch.ones(128, 1), torch.zeros(128, 1)
    judge = lambda pictures: discriminator(2 * pictures - 1)
    bce = F.binary_cross_entropy_with_logits

    def refuse():
        with torch.no_grad():
            fake = generator(torch.randn(128, latent))
        return bce(judge(x), 0.9 * ones) + bce(judge(fake), zeros)

    turn, other = stepping(first, refuse), stepping(second, lambda: bce(judge(generator(torch.randn(128, latent))), ones))
    return lambda: (turn(), other())


class Timed(nn.Module):
    def __init__(self, a, b, time):
        super().__init__()
        self.norm1, self.conv1, self.time = nn.GroupNorm(8, a), nn.Conv2d(a, b, 3, padding=1), nn.Linear(time, b)
        self.norm2, self.conv2 = nn.GroupNorm(8, b), nn.Conv2d(b, b, 3, padding=1)
        self.shortcut = nn.Identity() if a == b else nn.Conv2d(a, b, 1)

    def forward(self, x, t):
        y = self.conv1(F.silu(self.norm1(x))) + self.time(t)[:, :, None, None]
        return self.shortcut(x) + self.conv2(F.silu(self.norm2(y)))


class UNet(nn.Module):
    def __init__(self, w=16, levels=(1, 2, 4)):
        super().__init__()
        widths = [w * m for m in levels]
        self.w, time, low = w, 4 * w, widths[-1]
        self.time1, self.time2, self.first = nn.Linear(w, time), nn.Linear(time, time), nn.Conv2d(1, w, 3, padding=1)
        self.down = nn.ModuleList(Timed(a, b, time) for a, b in zip([w, *widths], widths))
        self.shrink = nn.ModuleList(nn.Conv2d(n, n, 3, 2, 1) for n in widths[:-1])
        self.middle1, self.middle2, self.norm = Timed(low, low, time), Timed(low, low, time), nn.GroupNorm(8, low)
        self.attention = nn.MultiheadAttention(low, 4, batch_first=True)
        rising = widths[::-1]
        self.up = nn.ModuleList(Timed(2 * n, n, time) for n in rising)
        self.grow = nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in zip(rising, rising[1:]))
        self.norm2, self.last = nn.GroupNorm(8, widths[0]), nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, x, t):
        angles = t[:, None] * torch.exp(torch.arange(self.w // 2) * (-math.log(10000) / (self.w // 2)))
        t = F.silu(self.time2(F.silu(self.time1(torch.cat([angles.sin(), angles.cos()], 1)))))
        y, seen = self.first(x), []
        for i, block in enumerate(self.down):
            y = block(y if i == 0 else self.shrink[i - 1](y), t)
            seen.append(y)
        y = self.middle1(y, t)
        rows = self.norm(y).flatten(2).transpose(1, 2)
        y = y + self.attention(rows, rows, rows, need_weights=False)[0].transpose(1, 2).reshape(y.shape)
        y = self.middle2(y, t)
        for i, block in enumerate(self.up):
            above = y if i == 0 else self.grow[i - 1](F.interpolate(y, scale_factor=2))
            y = block(torch.cat([above, seen[-1 - i]], 1), t)
        return self.last(F.silu(self.norm2(y)))


def ddpm():
    net, x = UNet(), grey(32)
    f = lambda s: torch.cos((s / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2
    steps = torch.arange(1000.0)
    left = torch.cumprod(1 - (1 - f(steps + 1) / f(steps)).clamp(max=0.999), 0)

    def loss():
        t, noise = torch.randint(0, 1000, (32,)), torch.randn_like(x)
        share = left[t][:, None, None, None]
        return F.mse_loss(net(share.sqrt() * (2 * x - 1) + (1 - share).sqrt() * noise, t), noise)

    return stepping(torch.optim.AdamW(net.parameters(), lr=1e-3), loss)


def vae():
    encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))
    x = grey(128).flatten(1)

    def loss():
        mean, log = encoder(x).chunk(2, 1)
        logits = decoder(mean + (0.5 * log).exp() * torch.randn_like(mean))
        divergence = 0.5 * (log.exp() + mean.square() - 1 - log).sum()
        return (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + divergence) / 128

    return stepping(torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3), loss)


def coder(width=16, latent=32):
    down = lambda a, b: [nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(*down(1, width), *down(width, 2 * width), nn.Flatten(), nn.Linear(98 * width, latent))


def autoencoder(width=16, latent=32):
    encoder, x = coder(), grey(128)
    decoder = nn.Sequential(
        nn.Linear(latent, 98 * width), nn.ReLU(), nn.Unflatten(1, (2 * width, 7, 7)),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(width, 1, 4, 2, 1))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3)
    return stepping(optimizer, lambda: F.binary_cross_entropy_with_logits(decoder(encoder(x)), x))


def few_labels():
    net, x, y = nn.Sequential(coder(), nn.ReLU(), nn.Linear(32, 10)), grey(20), torch.randint(0, 10, (20,))
    return stepping(torch.optim.AdamW(net.parameters(), lr=1e-3), lambda: F.cross_entropy(net(x), y))


def simclr():
    layers = []
    for i, (a, b) in enumerate([(3, 32), (32, 64), (64, 128), (128, 128)]):
        layers += [nn.MaxPool2d(2)] * (i > 0) + [nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    project = [nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 64)]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), *project)
    a, b = torch.rand(128, 3, 32, 32), torch.rand(128, 3, 32, 32)
    partner = (torch.arange(256) + 128) % 256

    def loss():
        z = F.normalize(net(torch.cat([a, b])), dim=1)
        return F.cross_entropy((z @ z.T / 0.5).masked_fill(torch.eye(256, dtype=torch.bool), -math.inf), partner)

    return stepping(torch.optim.AdamW(net.parameters(), lr=1e-3), loss)


def measure(case, seconds=0.5):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 4:
        begin = time.perf_counter()
        case()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


CASES = {
    "dcgan, 128 pictures": dcgan, "ddpm, 32 pictures": ddpm, "vae, 128 pictures": vae,
    "autoencoder, 128 pictures": autoencoder, "few-labels, 20 pictures": few_labels, "simclr, 128 pictures": simclr,
}
script = pathlib.Path(__file__).with_suffix(".mjs")
other = subprocess.Popen(["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(name):
    other.stdin.write(f"{name}\n")
    other.stdin.flush()
    return float(other.stdout.readline())


for name, make in CASES.items():
    if not name.startswith(args.only):
        continue
    case = make()
    for warm in range(2):  # native code is compiled meanwhile
        ask(name), measure(case)
    pairs = [(ask(name), measure(case)) for _ in range(args.turns)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{name}: nabla {ours:.2f} ms, PyTorch {theirs:.2f} ms, nabla is faster by {ratio:.2f}", flush=True)
other.stdin.close()
other.wait()
