"""The ELBO of a variational autoencoder on MNIST, for `nabla train vae` to be compared with:

    NABLA_DATA=… python tools/parity/vae.py [--epochs 30] [--seed 0]

The same network (784-400-20), optimiser, rates, batches and split sizes: 55,000 digits to train, the 10,000 test digits to measure, with one
draw of the latent numbers each.
"""
import argparse
import gzip
import math
import os
import pathlib

import numpy
import torch
import torch.nn.functional as F
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
torch.manual_seed(args.seed)


def pictures(name):
    data = gzip.decompress((pathlib.Path(os.environ["NABLA_DATA"]) / "mnist" / name).read_bytes())
    return torch.from_numpy(numpy.frombuffer(data, numpy.uint8, offset=16).copy()).float().reshape(-1, 784) / 255


train, test = pictures("train-images-idx3-ubyte.gz"), pictures("t10k-images-idx3-ubyte.gz")
train = train[torch.randperm(len(train))[:55_000]]
encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))
PEAK, BATCH = 0.002, 128
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=PEAK)


def negative_elbo(x):
    mean, log = encoder(x).chunk(2, 1)
    logits = decoder(mean + (0.5 * log).exp() * torch.randn_like(mean))
    divergence = 0.5 * (log.exp() + mean.square() - 1 - log).sum()
    return (F.binary_cross_entropy_with_logits(logits, x, reduction="sum") + divergence) / len(x)


def one_cycle(step, total, warmup=0.05, start=1 / 25, end=1e-4 / 25):
    """nabla's oneCycle: up and down along a cosine."""
    rise = warmup * total - 1
    along = lambda a, b, share: b + (a - b) / 2 * (1 + math.cos(math.pi * share))
    if step <= rise:
        return along(start * PEAK, PEAK, step / rise)
    return along(PEAK, end * PEAK, (step - rise) / (total - 1 - rise))


total, step = args.epochs * (len(train) // BATCH), 0
for epoch in range(args.epochs):
    order = torch.randperm(len(train))
    for i in range(len(train) // BATCH):
        optimizer.param_groups[0]["lr"] = one_cycle(step, total)
        optimizer.zero_grad()
        negative_elbo(train[order[i * BATCH:(i + 1) * BATCH]]).backward()
        optimizer.step()
        step += 1
    with torch.no_grad():
        print(f"epoch {epoch + 1}: ELBO of the test digits {-negative_elbo(test).item():.2f} nats", flush=True)
