"""`nabla train membrane` in PyTorch: the same slices, crops, U-Net, loss, optimiser and schedule; prints what the preset's test prints.

    NABLA_DATA=FOLDER python tools/parity/segmentation.py [--seed 0] [--epochs 10] [--threads 2]
"""

import argparse
import gzip
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--threads", type=int, default=2)
args = parser.parse_args()
torch.manual_seed(args.seed)
torch.set_num_threads(args.threads)
rng = np.random.default_rng(args.seed)

MEAN, STD, CROP, CROPS, BATCH, PEAK = 125, 44, 128, 16, 8, 0.003


def idx(name):
    data = gzip.open(Path(os.environ["NABLA_DATA"]) / "membrane" / name).read()
    return np.frombuffer(data, np.uint8, offset=16).reshape(30, 512, 512)


images = (idx("train-images-idx3-ubyte.gz").astype(np.float32) - MEAN) / STD
masks = idx("train-labels-idx1-ubyte.gz").astype(np.int64)


def twice(a, b):
    layers = []
    for c in (a, b):
        layers += [nn.Conv2d(c, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, width=16, depth=3):
        super().__init__()
        widths = [width * 2**i for i in range(depth + 1)]
        self.down = nn.ModuleList(twice(a, b) for a, b in zip([1, *widths], widths))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, 2) for w in widths[-2::-1])
        self.convs = nn.ModuleList(twice(2 * w, w) for w in widths[-2::-1])
        self.out = nn.Conv2d(width, 2, 1)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        seen = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else F.max_pool2d(x, 2))
            seen.append(x)
        for i, (up, conv) in enumerate(zip(self.ups, self.convs)):
            x = conv(torch.cat([seen[-2 - i], up(x)], 1))
        return self.out(x)


def loss_of(logits, labels, smooth=1.0):
    p, y = logits.softmax(1), F.one_hot(labels, 2).movedim(-1, 1).float()
    over = lambda t: t.sum((0, 2, 3))
    dice = 1 - (2 * over(p * y) + smooth) / (over(p) + over(y) + smooth)
    return F.cross_entropy(logits, labels) + dice.mean()


def crop(i):
    top, left = rng.integers(0, 512 - CROP + 1, 2)
    x, y = (a[i, top : top + CROP, left : left + CROP] for a in (images, masks))
    for axis in (0, 1):
        if rng.uniform() < 0.5:
            x, y = np.flip(x, axis), np.flip(y, axis)
    return (x.T, y.T) if rng.uniform() < 0.5 else (x, y)


model = UNet()
optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK, weight_decay=0.01)
steps = args.epochs * (24 * CROPS // BATCH)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK, total_steps=steps, cycle_momentum=False)
begin = time.perf_counter()
for epoch in range(args.epochs):
    order = rng.permutation(np.repeat(np.arange(24), CROPS))
    total = 0.0
    for batch in order.reshape(-1, BATCH):
        x, y = zip(*(crop(i) for i in batch))
        x, y = torch.tensor(np.stack(x))[:, None], torch.tensor(np.stack(y))
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        schedule.step()
        total += loss.item()
    print(f"epoch {epoch + 1}: loss {total / (len(order) // BATCH):.4f}, {time.perf_counter() - begin:.0f} s", flush=True)

model.eval()
with torch.no_grad():
    said = np.stack([model(torch.tensor(images[i])[None, None]).argmax(1)[0].numpy() for i in range(26, 30)])
truth = masks[26:]
ious = [(said == k)[truth == k].sum() / ((said == k) | (truth == k)).sum() for k in (0, 1)]
print(f"accuracy {(said == truth).mean():.4f}, mean IoU {np.mean(ious):.4f}, cell IoU {ious[1]:.4f}, membrane IoU {ious[0]:.4f}, {time.perf_counter() - begin:.0f} s")
