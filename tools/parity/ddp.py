"""The same network trained by PyTorch's DistributedDataParallel (gloo) and by nabla on MPI: two processes each, 50 updates, losses side by side.

    python tools/parity/ddp.py            after a build; needs torch, mpirun and mpicc

Weights and batches are made of sines, so that both sides make the same without a file. Losses are means over both processes.
"""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

RANKS = 2
STEPS = 50
BATCH = 12
ROOT = Path(__file__).resolve().parents[2]
CASES = ["sgd", "adamw", "norm", "clip"]


def weights(size: int, fan: int, phase: int) -> list[float]:
    return [math.sin(0.37 * k + phase) / math.sqrt(fan) for k in range(size)]


def train(rank: int, port: int) -> None:
    import torch
    import torch.distributed as dist
    from torch import nn

    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=RANKS)
    results = {}
    for case in CASES:
        norm = [nn.BatchNorm1d(16)] if case == "norm" else []
        own = nn.Sequential(nn.Linear(20, 16), *norm, nn.Tanh(), nn.Linear(16, 3))
        for i, layer in enumerate(m for m in own if isinstance(m, nn.Linear)):
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(weights(layer.weight.numel(), layer.in_features, i)).reshape(layer.weight.shape))
                layer.bias.zero_()
        # PyTorch's own SyncBatchNorm runs on GPUs alone: here the statistics are those of a process, on both sides.
        model = nn.parallel.DistributedDataParallel(own)
        if case == "adamw":
            optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
        else:
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        losses = []
        share = BATCH // RANKS
        for step in range(STEPS):
            x = torch.tensor([math.sin(1.7 * k + 13.1 * step) for k in range(BATCH * 20)]).reshape(BATCH, 20)
            y = torch.tensor([(k + step) % 3 for k in range(BATCH)])
            part = slice(rank * share, (rank + 1) * share)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[part]), y[part])
            loss.backward()
            if case == "clip":
                nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            optimizer.step()
            mean = loss.detach().clone()
            dist.all_reduce(mean)
            losses.append(mean.item() / RANKS)
        results[case] = losses
    if rank == 0:
        print(json.dumps(results))
    dist.destroy_process_group()


def main() -> None:
    if len(sys.argv) > 2:
        train(int(sys.argv[1]), int(sys.argv[2]))
        return
    port = 20000 + os.getpid() % 20000
    started = [
        subprocess.Popen([sys.executable, __file__, str(r), str(port)], stdout=subprocess.PIPE, text=True) for r in range(RANKS)
    ]
    theirs = json.loads([process.communicate()[0] for process in started][0])
    environment = {
        **os.environ,
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "NABLA_THREADS": "1",
    }
    command = ["mpirun", "-n", str(RANKS), "node", str(ROOT / "tools/parity/ddp.mjs"), ",".join(CASES), str(STEPS), str(BATCH)]
    ours = json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout)
    worst = 0.0
    for case in CASES:
        difference = max(abs(a - b) for a, b in zip(theirs[case], ours[case], strict=True))
        worst = max(worst, difference)
        print(f"{case:6} {theirs[case][0]:.6f} → {theirs[case][-1]:.6f}, largest difference of {STEPS} losses {difference:.1e}")
    sys.exit(worst > 1e-5)


main()
