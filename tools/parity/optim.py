"""Writes test/fixtures/optim.safetensors: paths of PyTorch's optimisers, clipped gradients, averaged weights, and learning rates.

Run with any recent PyTorch: python tools/parity/optim.py
"""
import math
import torch
from torch import nn
from torch.optim import lr_scheduler as S
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from fixture import rand, save

torch.set_default_dtype(torch.float64)
STEPS = 50
KEPT = [*range(10), *range(19, STEPS, 10)]
NAMES = {"weight_decay": "weightDecay", "lr_decay": "lrDecay", "initial_accumulator_value": "initialAccumulatorValue",
         "momentum_decay": "momentumDecay", "decoupled_weight_decay": "decoupledWeightDecay"}

torch.manual_seed(1)
W, V, A, B = rand(3, 2), rand(4), rand(5, 3), rand(5, 2)
optimisers = {}


def optimiser(name, **options):
    """Fifty steps on Σ ((w·a − b)² + 0.1·v⁴), some of them kept; the learning rate halves after 4; v has no gradient in steps 3 and 7."""
    w, v = W.clone().requires_grad_(), V.clone().requires_grad_()
    opt = getattr(torch.optim, name)([w, v], **options)
    path = []
    for step in range(STEPS):
        if step == 4:
            opt.param_groups[0]["lr"] /= 2
        opt.zero_grad()
        total = ((A @ w - B) ** 2).sum()
        if step not in (3, 7):
            total = total + 0.1 * (v ** 4).sum()
        total.backward()
        opt.step()
        path.append((w.detach().clone(), v.detach().clone()))
    title = ", ".join([name, *(f"{k} {x}" for k, x in options.items())])
    optimisers[title] = {"name": name, "options": {NAMES.get(k, k): x for k, x in options.items()},
                         "w": torch.stack([path[k][0] for k in KEPT]), "v": torch.stack([path[k][1] for k in KEPT])}


DECAY = {"weight_decay": 0.1}
BETAS = {"betas": [0.8, 0.95]}
for options in {}, DECAY, {"momentum": 0.9}, {"momentum": 0.8, "dampening": 0.3, **DECAY}, {"momentum": 0.9, "nesterov": True}, \
        {"momentum": 0.9, "nesterov": True, **DECAY}:
    optimiser("SGD", lr=0.01, **options)
for options in {}, DECAY, {"eps": 1e-3, **BETAS, **DECAY}, {"amsgrad": True}, {"amsgrad": True, **DECAY}:
    optimiser("Adam", lr=0.05, **options)
for options in {}, {"weight_decay": 0}, {"weight_decay": 0.5, "amsgrad": True}, BETAS:
    optimiser("AdamW", lr=0.05, **options)
optimiser("Adagrad", lr=0.1)
optimiser("Adagrad", lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5, **DECAY)
optimiser("Adadelta", lr=1.0)
optimiser("Adadelta", lr=0.5, rho=0.8, eps=1e-3, **DECAY)
for options in {}, DECAY, {"alpha": 0.9, "momentum": 0.5, **DECAY}, {"centered": True}, \
        {"alpha": 0.9, "momentum": 0.5, "centered": True, "eps": 1e-3, **DECAY}:
    optimiser("RMSprop", lr=0.01, **options)
for name in "Adamax", "NAdam", "RAdam":
    optimiser(name, lr=0.05)
    optimiser(name, lr=0.05, **BETAS, **DECAY)
for name in "NAdam", "RAdam":
    optimiser(name, lr=0.05, decoupled_weight_decay=True, **DECAY)
optimiser("NAdam", lr=0.05, momentum_decay=0.1, **DECAY)


# ---------------------------------------------------------------- limits and averages

def given():
    gradients = [rand(3, 2) * 2, rand(4)]
    params = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for p, g in zip(params, gradients):
        p.grad = g.clone()
    return gradients, params


def clip_norm(max_norm, norm_type):
    gradients, params = given()
    norm = nn.utils.clip_grad_norm_(params, max_norm, norm_type)
    return {"maxNorm": max_norm, "normType": "Infinity" if math.isinf(norm_type) else norm_type, "gradients": gradients,
            "norm": float(norm), "clipped": [p.grad for p in params]}


def clip_value(value):
    gradients, params = given()
    nn.utils.clip_grad_value_(params, value)
    return {"value": value, "gradients": gradients, "clipped": [p.grad for p in params]}


def max_norm(limit, *shape):
    weight = rand(*shape)
    return {"maxNorm": limit, "weight": weight, "limited": torch.renorm(weight, 2, 0, limit)}


def average(decay=None):
    """The average after each of five changes of the weights."""
    model = nn.Linear(3, 2)
    averaged = AveragedModel(model) if decay is None else AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))
    weights, averages = [rand(2, 3) for _ in range(5)], []
    for w in weights:
        model.weight.data.copy_(w)
        averaged.update_parameters(model)
        averages.append(averaged.module.weight.detach().clone())
    return {"decay": decay, "weights": torch.stack(weights), "averages": torch.stack(averages)}


# ---------------------------------------------------------------- learning rates

STEPS_OF_SCHEDULES = 24
METRICS = [3.0, 2.0, 2.0, 2.1, 1.9, 1.8999, 1.8998, 1.89, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.6, 1.2, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.2, 1.1]


def schedule(make, metrics=None, steps=STEPS_OF_SCHEDULES):
    opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    s = make(opt)
    rates = []
    for i in range(steps):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        if i + 1 < steps:
            s.step() if metrics is None else s.step(metrics[i])
    return torch.tensor(rates)


schedules = {
    "constant": schedule(lambda o: S.ConstantLR(o, factor=0.25, total_iters=6)),
    "cosine": schedule(lambda o: S.CosineAnnealingLR(o, 23, eta_min=0.01)),
    "oneCycle": schedule(lambda o: S.OneCycleLR(o, 0.1, total_steps=24, pct_start=0.3)),
    "oneCycle of three phases, linear": schedule(lambda o: S.OneCycleLR(
        o, 0.2, total_steps=24, pct_start=0.4, anneal_strategy="linear", three_phase=True, div_factor=10, final_div_factor=100)),
    "stepDecay": schedule(lambda o: S.StepLR(o, 6, gamma=0.5)),
    "multiStepDecay": schedule(lambda o: S.MultiStepLR(o, [3, 4, 15], gamma=0.3)),
    "exponentialDecay": schedule(lambda o: S.ExponentialLR(o, 0.9)),
    "linear": schedule(lambda o: S.LinearLR(o, start_factor=0.25, end_factor=1.0, total_iters=7)),
    "polynomialDecay": schedule(lambda o: S.PolynomialLR(o, total_iters=12, power=2.0)),
    "inverseTimeDecay": schedule(lambda o: S.LambdaLR(o, lambda e: 1 / (1 + 0.5 * e))),
    "inverseSqrtDecay": schedule(lambda o: S.LambdaLR(o, lambda e: 1 if e < 1 else 0.5 / math.sqrt(e))),
    "inverseSqrtWarmup": schedule(lambda o: S.LambdaLR(o, lambda e: 10 * 64 ** -0.5 * min((e + 1) ** -0.5, (e + 1) * 8 ** -1.5))),
    "table": schedule(lambda o: S.LambdaLR(o, lambda e: 1 if e < 5 else 0.1 if e < 9 else 0.01)),
    "cosineRestarts": schedule(lambda o: S.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.01)),
    "cosineRestarts alike": schedule(lambda o: S.CosineAnnealingWarmRestarts(o, 6)),
    "cyclic": schedule(lambda o: S.CyclicLR(o, 0.01, 0.1, step_size_up=4, step_size_down=6, cycle_momentum=False)),
    "cyclic, halved": schedule(lambda o: S.CyclicLR(o, 0.02, 0.1, step_size_up=3, mode="triangular2", cycle_momentum=False)),
    "cyclic, exponential": schedule(lambda o: S.CyclicLR(o, 0.02, 0.1, step_size_up=3, mode="exp_range", gamma=0.9, cycle_momentum=False)),
    "sequence": schedule(lambda o: S.SequentialLR(o, [S.LinearLR(o, start_factor=0.1, total_iters=5), S.ExponentialLR(o, 0.8)], milestones=[5])),
    "chained": schedule(lambda o: S.ChainedScheduler([S.ConstantLR(o, factor=0.1, total_iters=3), S.ExponentialLR(o, 0.9)])),
    "plateau": schedule(lambda o: S.ReduceLROnPlateau(o, factor=0.5, patience=2, cooldown=1), METRICS),
    "plateau, max": schedule(lambda o: S.ReduceLROnPlateau(o, mode="max", factor=0.5, patience=3, threshold=0.2, threshold_mode="abs", min_lr=0.02), METRICS),
}

torch.manual_seed(2)
save("optim.py", "optim", {
    "start": {"w": W, "v": V, "a": A, "b": B}, "kept": KEPT, "steps": STEPS, "optimisers": optimisers,
    "clipNorm": [clip_norm(1.0, 2.0), clip_norm(100.0, 2.0), clip_norm(0.5, 1.0), clip_norm(0.5, 3.0), clip_norm(0.5, math.inf)],
    "clipValue": [clip_value(0.5), clip_value(10.0)],
    "maxNorm": [max_norm(1.0, 4, 3), max_norm(2.0, 3, 2, 2, 2)],
    "averages": [average(), average(0.9)],
    "metrics": METRICS, "schedules": schedules,
})
