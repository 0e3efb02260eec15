"""Updates of PPO and DQN, and acting, by turns of half a second with PyTorch (eager): median milliseconds of each, and their ratio.

    python tools/parity/rl_speed.py [--turns 8] [--threads 2]

The same networks, batches and losses as nabla's agents with their defaults on CartPole; nabla's updates are those of a Trainer, records
included. rl_speed.mjs is the other side.
"""
import argparse
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
args = parser.parse_args()
torch.set_num_threads(args.threads)
torch.manual_seed(0)


def tanh_network(outputs):
    return nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, outputs))


def relu_network():
    return nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 2))


actor, critic = tanh_network(2), tanh_network(1)
ppo_parameters = [*actor.parameters(), *critic.parameters()]
ppo_optimizer = torch.optim.Adam(ppo_parameters, lr=1e-3, eps=1e-5)
network, target = relu_network(), relu_network()
dqn_optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
rows, actions, old, advantages, returns = torch.randn(256, 4), torch.randint(2, (256,)), torch.full((256,), -0.7), torch.randn(256), torch.randn(256)
seen, nexts, chosen, rewards, goes_on = torch.randn(64, 4), torch.randn(64, 4), torch.randint(2, (64, 1)), torch.ones(64), torch.ones(64)


def ppo():
    scaled = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
    log_prob = actor(rows).log_softmax(1).gather(1, actions[:, None])[:, 0]
    ratio = (log_prob - old).exp()
    gain = torch.minimum(ratio * scaled, ratio.clamp(0.8, 1.2) * scaled).mean()
    loss = 0.5 * (critic(rows)[:, 0] - returns).square().mean() - gain
    ppo_optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(ppo_parameters, 0.5)
    ppo_optimizer.step()
    return loss.item()


def dqn():
    with torch.no_grad():
        worth = target(nexts).gather(1, network(nexts).argmax(1, keepdim=True))[:, 0]
        wanted = rewards + 0.99 * goes_on * worth
    loss = F.smooth_l1_loss(network(seen).gather(1, chosen)[:, 0], wanted)
    dqn_optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 10)
    dqn_optimizer.step()
    return loss.item()


def act():
    with torch.no_grad():
        return actor(rows[:8]).numpy(), critic(rows[:8]).numpy()


def measure(case, seconds=0.5):
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        case()
        times.append(time.perf_counter() - begin)
    return 1000 * statistics.median(times)


CASES = {"PPO update, 256 samples": ppo, "DQN update, 64 samples": dqn, "acting, 8 observations": act}
script = pathlib.Path(__file__).with_suffix(".mjs")
other = subprocess.Popen(["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(name):
    other.stdin.write(f"{name}\n")
    other.stdin.flush()
    return float(other.stdout.readline())


for name, case in CASES.items():
    for warm in range(3):  # native code is compiled meanwhile
        ask(name), measure(case)
    pairs = [(ask(name), measure(case)) for _ in range(args.turns)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"{name}: nabla {ours:.3f} ms, PyTorch {theirs:.3f} ms, nabla is faster by {ratio:.2f}", flush=True)
other.stdin.close()
other.wait()
