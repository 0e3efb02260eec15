"""PyTorch's side of tools/distributed/speed.mjs: a workload trained by one process, or by DistributedDataParallel (gloo) where torchrun has started several.

    SPEED_PORT=… python tools/parity/ddp_speed.py W3        speed.mjs starts it

For each line with a number that comes from that port it makes so many updates, and answers with milliseconds an update. Shapes, optimisers and batches are
those of bench/workloads.mjs; the numbers in them are random ones, of which the time does not depend. The batch is divided among the processes.
"""

import json
import os
import socket
import sys
import time

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn


def block(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]


class BasicBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.short = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.short = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + self.short(x))


class GPTBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width, bias=False)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.project = nn.Linear(width, width, bias=False)
        self.norm2 = nn.LayerNorm(width, bias=False)
        self.expand = nn.Linear(width, 4 * width, bias=False)
        self.contract = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        q, k, v = (t.view(batch, length, self.heads, -1).transpose(1, 2) for t in self.qkv(self.norm1(x)).chunk(3, 2))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        y = x + self.project(mixed.transpose(1, 2).reshape(batch, length, width))
        return y + self.contract(F.gelu(self.expand(self.norm2(y))))


class GPT(nn.Module):
    def __init__(self, vocabulary: int = 65, width: int = 128, heads: int = 4, layers: int = 4, context: int = 64) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(GPTBlock(width, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.blocks(self.tokens(x) + self.positions.weight[: x.shape[1]])
        return F.linear(self.norm(y), self.tokens.weight)


def small_network() -> tuple:
    model = nn.Sequential(
        *block(3, 32), *block(32, 32), nn.MaxPool2d(2), *block(32, 64), *block(64, 64), nn.MaxPool2d(2), *block(64, 128),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
    )
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), torch.rand(64, 3, 32, 32), torch.randint(10, (64,))


def resnet() -> tuple:
    blocks, inputs = [], 64
    for outputs, stride in [(64, 1), (128, 2), (256, 2), (512, 2)]:
        blocks += [BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1)]
        inputs = outputs
    model = nn.Sequential(*block(3, 64), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    return model, optimizer, torch.rand(32, 3, 32, 32), torch.randint(10, (32,))


def transformer() -> tuple:
    model = GPT()
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    return model, optimizer, torch.randint(65, (12, 64)), torch.randint(65, (12, 64))


def main() -> None:
    world = int(os.environ.get("WORLD_SIZE", "1"))
    torch.set_num_threads(int(os.environ["SPEED_THREADS"]))
    torch.manual_seed(0)
    model, optimizer, x, y = {"W3": small_network, "W4": resnet, "W6": transformer}[sys.argv[1]]()
    parallel, rank = model, 0
    if world > 1:
        dist.init_process_group("gloo")
        rank = dist.get_rank()
        parallel = nn.parallel.DistributedDataParallel(model)
    share = len(x) // world
    x, y = x[rank * share : (rank + 1) * share], y[rank * share : (rank + 1) * share]

    def step() -> float:
        optimizer.zero_grad()
        output = parallel(x)
        loss = F.cross_entropy(output.reshape(-1, output.shape[-1]), y.reshape(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    with socket.create_connection(("127.0.0.1", int(os.environ["SPEED_PORT"]))) as connection:
        lines = connection.makefile("rw")
        for line in lines:
            begun = time.perf_counter()
            for _ in range(int(line)):
                step()
            lines.write(json.dumps({"ms": 1000 * (time.perf_counter() - begun) / int(line)}) + "\n")
            lines.flush()
    if world > 1:
        dist.destroy_process_group()


main()
