"""Writes test/fixtures/pytorch-{nn,optim}.json: what PyTorch computes for the layers, losses and optimisers that nabla has.

Run with any recent PyTorch: python tools/parity/pytorch.py. Everything is float64 inside and written with 9 digits, so
the numbers are those of the definition rather than of one float32 implementation.
"""
import json
import math
import pathlib
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
ROOT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"


def pack(t):
    if t is None:
        return None
    t = t.detach()
    data = [float(f"{v:.9g}") for v in t.flatten().tolist()]
    return {"shape": list(t.shape), "dtype": "int32" if t.dtype in (torch.int64, torch.int32) else "float32",
            "data": [int(v) if t.dtype in (torch.int64, torch.int32) else v for v in data]}


def snap(module):
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(p.float().double())
    return module


def rand(*shape):
    return torch.randn(*shape).float().double()


def case(name, module, x, steps=1):
    """Forward and backward with a fixed weighting of the output, `steps` times without changing parameters."""
    snap(module)
    before = {k: pack(v) for k, v in module.state_dict().items()}
    for i in range(steps):
        module.zero_grad()
        if x.dtype == torch.float64:
            x = x.detach().clone().requires_grad_()
        y = module(x)
        weights = torch.cos(torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)
        (y * weights).sum().backward()
    return {"name": name, "x": pack(x), "before": before, "y": pack(y), "gradX": pack(x.grad) if x.dtype == torch.float64 else None,
            "grads": {k: pack(p.grad) for k, p in module.named_parameters()},
            "after": {k: pack(v) for k, v in module.state_dict().items()}, "steps": steps}


def evaluated(module):
    module(rand(4, 3, 2, 2) * 2 + 1)
    return module.eval()


layers = [
    case("Linear", nn.Linear(5, 3), rand(4, 5)),
    case("Linear without bias on rank 3", nn.Linear(5, 3, bias=False), rand(2, 3, 5)),
    case("Conv2d", nn.Conv2d(2, 3, 3), rand(2, 2, 5, 6)),
    case("Conv2d stride, padding, dilation, groups", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), rand(2, 4, 7, 5)),
    case("Conv2d same", nn.Conv2d(1, 2, 4, padding="same", bias=False), rand(1, 1, 5, 5)),
    case("Conv2d unbatched", nn.Conv2d(2, 2, 2), rand(2, 3, 3)),
    case("BatchNorm2d training", nn.BatchNorm2d(3), rand(4, 3, 2, 2) * 2 + 1, steps=3),
    case("BatchNorm2d average", nn.BatchNorm2d(3, momentum=None, eps=1e-3), rand(4, 3, 2, 2), steps=2),
    case("BatchNorm2d evaluation", evaluated(nn.BatchNorm2d(3)), rand(2, 3, 2, 2)),
    case("BatchNorm1d", nn.BatchNorm1d(3, affine=False), rand(5, 3)),
    case("LayerNorm", nn.LayerNorm(6), rand(3, 2, 6)),
    case("Embedding", nn.Embedding(5, 3), torch.tensor([[0, 4, 4], [2, 0, 1]])),
    case("ReLU", nn.ReLU(), torch.tensor([-1.5, 0.0, 2.0])),
    case("Tanh", nn.Tanh(), rand(7)),
    case("Sigmoid", nn.Sigmoid(), rand(7) * 3),
    case("GELU", nn.GELU(), rand(9) * 2),
    case("Softmax", nn.Softmax(dim=1), rand(2, 5, 2)),
    case("MaxPool2d", nn.MaxPool2d(3, stride=2, padding=1), rand(2, 2, 6, 5)),
    case("AvgPool2d", nn.AvgPool2d((2, 3), stride=2, padding=(1, 0)), rand(2, 2, 5, 7)),
    case("AdaptiveAvgPool2d 1", nn.AdaptiveAvgPool2d(1), rand(2, 3, 4, 5)),
    case("AdaptiveAvgPool2d 2x3", nn.AdaptiveAvgPool2d((2, 3)), rand(2, 2, 5, 7)),
    case("AdaptiveAvgPool2d divides", nn.AdaptiveAvgPool2d(2), rand(1, 2, 4, 6)),
]


def loss(name, fn, x, target, options):
    x = x.detach().clone().requires_grad_()
    y = fn(x, target, **{k: torch.tensor(v, dtype=torch.float64) if isinstance(v, list) else v for k, v in options.items()})
    (y * torch.cos(torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)).sum().backward()
    names = {"label_smoothing": "labelSmoothing", "ignore_index": "ignoreIndex", "pos_weight": "posWeight", "log_target": "logTarget"}
    values = {"batchmean": "batchMean"}
    given = {names.get(k, k): v if isinstance(v, list) else values.get(v, v) for k, v in options.items()}
    return {"name": name, "x": pack(x), "target": pack(target), "options": given, "y": pack(y), "gradX": pack(x.grad)}


logits, labels = rand(5, 4) * 3, torch.tensor([0, 3, 1, 1, 2])
probabilities = torch.softmax(rand(5, 4), 1).float().double()
CE, NLL, MSE, L1, BCE = F.cross_entropy, F.nll_loss, F.mse_loss, F.l1_loss, F.binary_cross_entropy_with_logits
losses = [
    loss("crossEntropy", CE, logits, labels, {}),
    loss("crossEntropy", CE, logits, labels, {"reduction": "sum"}),
    loss("crossEntropy", CE, logits, labels, {"reduction": "none"}),
    loss("crossEntropy", CE, logits, labels, {"label_smoothing": 0.1}),
    loss("crossEntropy", CE, logits, labels, {"ignore_index": 1}),
    loss("crossEntropy", CE, logits, labels, {"ignore_index": 1, "label_smoothing": 0.2}),
    loss("crossEntropy", CE, logits, labels, {"ignore_index": 1, "reduction": "none"}),
    loss("crossEntropy", CE, logits, probabilities, {}),
    loss("crossEntropy", CE, logits, probabilities, {"label_smoothing": 0.3, "reduction": "sum"}),
    loss("crossEntropy", CE, rand(2, 3, 4), torch.tensor([[0, 2, 1, 1], [2, 2, 0, 1]]), {}),
    loss("crossEntropy", CE, logits * 100, labels, {}),
    loss("nllLoss", NLL, F.log_softmax(logits, 1).float().double(), labels, {"ignore_index": 3}),
    loss("mseLoss", MSE, rand(3, 2), rand(3, 2), {}),
    loss("mseLoss", MSE, rand(3, 2), rand(3, 2), {"reduction": "none"}),
    loss("l1Loss", L1, rand(3, 2), rand(3, 2), {"reduction": "sum"}),
    loss("bceWithLogits", BCE, torch.tensor([-200.0, -20.0, -1.0, 0.0, 0.5, 20.0, 200.0]), torch.tensor([0.0, 0.0, 1.0, 1.0, 0.25, 0.0, 1.0]), {"reduction": "none"}),
    loss("bceWithLogits", BCE, rand(4, 2), torch.rand(4, 2).float().double(), {}),
    loss("crossEntropy", CE, logits, labels, {"weight": [0.5, 2.0, 1.0, 0.25]}),
    loss("crossEntropy", CE, logits, labels, {"weight": [0.5, 2.0, 1.0, 0.25], "label_smoothing": 0.2, "ignore_index": 1}),
    loss("crossEntropy", CE, logits, labels, {"weight": [0.5, 2.0, 1.0, 0.25], "reduction": "none"}),
    loss("crossEntropy", CE, logits, probabilities, {"weight": [0.5, 2.0, 1.0, 0.25], "label_smoothing": 0.1}),
    loss("nllLoss", NLL, F.log_softmax(logits, 1).float().double(), labels, {"weight": [0.5, 2.0, 1.0, 0.25]}),
    loss("bceWithLogits", BCE, rand(4, 2), torch.rand(4, 2).float().double(), {"pos_weight": [3.0, 0.5]}),
    loss("bceLoss", F.binary_cross_entropy, torch.rand(4, 2).float().double(), torch.rand(4, 2).float().double(), {}),
    loss("huberLoss", F.huber_loss, rand(4, 3) * 3, rand(4, 3), {}),
    loss("huberLoss", F.huber_loss, rand(4, 3) * 3, rand(4, 3), {"delta": 0.3, "reduction": "sum"}),
    loss("smoothL1Loss", F.smooth_l1_loss, rand(4, 3) * 3, rand(4, 3), {"beta": 0.3}),
    loss("smoothL1Loss", F.smooth_l1_loss, rand(4, 3), rand(4, 3), {"beta": 0.0}),
    loss("klDivLoss", F.kl_div, F.log_softmax(logits, 1).float().double(), probabilities, {"reduction": "batchmean"}),
    loss("klDivLoss", F.kl_div, F.log_softmax(logits, 1).float().double(), torch.eye(5, 4, dtype=torch.float64), {"reduction": "none"}),
    loss("klDivLoss", F.kl_div, F.log_softmax(logits, 1).float().double(), probabilities.log().float().double(), {"log_target": True, "reduction": "sum"}),
    loss("hingeLoss", lambda x, y, **o: F.multi_margin_loss(x, y, **o) * x.shape[1], logits, labels, {}),
    loss("hingeLoss", lambda x, y, **o: F.multi_margin_loss(x, y, **o) * x.shape[1], logits, labels, {"margin": 0.3, "reduction": "none"}),
    loss("tripletMarginLoss", lambda x, y, **o: F.triplet_margin_loss(x, y, y.flip(0), **o), rand(4, 3), rand(4, 3), {"margin": 0.5}),
    loss("tripletMarginLoss", lambda x, y, **o: F.triplet_margin_loss(x, y, y.flip(0), **o), rand(4, 3), rand(4, 3), {"p": 1.0, "reduction": "none"}),
]


def optimiser(name, make, options, settings=None):
    """Fifty steps (the first ten kept, then every tenth) on Σ ((w·a − b)² + 0.1·v⁴); the learning rate halves after 4 steps; v has no gradient in steps 3 and 7."""
    torch.manual_seed(1)
    w, v = rand(3, 2).requires_grad_(), rand(4).requires_grad_()
    a, b = rand(5, 3), rand(5, 2)
    start = [pack(w), pack(v)]
    opt = make([w, v], **options)
    path = []
    for step in range(50):
        if step == 4:
            opt.param_groups[0]["lr"] /= 2
        opt.zero_grad()
        total = ((a @ w - b) ** 2).sum()
        if step not in (3, 7):
            total = total + 0.1 * (v ** 4).sum()
        total.backward()
        opt.step()
        path.append([pack(w)["data"], pack(v)["data"]] if step < 10 or step % 10 == 9 else None)
    names = {"weight_decay": "weightDecay", "lr_decay": "lrDecay", "initial_accumulator_value": "initialAccumulatorValue", "momentum_decay": "momentumDecay"}
    return {"name": name, "options": {names.get(k, k): x for k, x in options.items()}, "start": start, "a": pack(a), "b": pack(b), "path": path}


O = torch.optim
SGD, Adam, AdamW = O.SGD, O.Adam, O.AdamW
optimisers = [
    optimiser("SGD", SGD, {"lr": 0.01}),
    optimiser("SGD", SGD, {"lr": 0.01, "momentum": 0.9}),
    optimiser("SGD", SGD, {"lr": 0.01, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1}),
    optimiser("SGD", SGD, {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    optimiser("Adam", Adam, {"lr": 0.05}),
    optimiser("Adam", Adam, {"lr": 0.05, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.1}),
    optimiser("Adam", Adam, {"lr": 0.05, "amsgrad": True}),
    optimiser("AdamW", AdamW, {"lr": 0.05}),
    optimiser("AdamW", AdamW, {"lr": 0.05, "weight_decay": 0}),
    optimiser("AdamW", AdamW, {"lr": 0.05, "weight_decay": 0.5, "amsgrad": True}),
    optimiser("Adagrad", O.Adagrad, {"lr": 0.1}),
    optimiser("Adagrad", O.Adagrad, {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.5}),
    optimiser("Adadelta", O.Adadelta, {"lr": 1.0}),
    optimiser("Adadelta", O.Adadelta, {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1}),
    optimiser("RMSprop", O.RMSprop, {"lr": 0.01}),
    optimiser("RMSprop", O.RMSprop, {"lr": 0.01, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.1}),
    optimiser("RMSprop", O.RMSprop, {"lr": 0.01, "alpha": 0.9, "momentum": 0.5, "centered": True, "eps": 1e-3}),
    optimiser("Adamax", O.Adamax, {"lr": 0.05}),
    optimiser("Adamax", O.Adamax, {"lr": 0.05, "betas": [0.8, 0.95], "weight_decay": 0.1}),
    optimiser("NAdam", O.NAdam, {"lr": 0.05}),
    optimiser("NAdam", O.NAdam, {"lr": 0.05, "betas": [0.8, 0.95], "weight_decay": 0.1, "momentum_decay": 0.1}),
    optimiser("RAdam", O.RAdam, {"lr": 0.05}),
    optimiser("RAdam", O.RAdam, {"lr": 0.05, "betas": [0.8, 0.95], "weight_decay": 0.1}),
]


def clip(max_norm, norm_type):
    gradients = [rand(3, 2) * 2, rand(4)]
    params = [nn.Parameter(torch.zeros_like(g)) for g in gradients]
    for p, g in zip(params, gradients):
        p.grad = g.clone()
    norm = nn.utils.clip_grad_norm_(params, max_norm, norm_type)
    return {"maxNorm": max_norm, "normType": "Infinity" if math.isinf(norm_type) else norm_type, "gradients": [pack(g) for g in gradients],
            "norm": float(norm), "clipped": [pack(p.grad) for p in params]}


METRICS = [3.0, 2.0, 2.0, 2.1, 1.9, 1.8999, 1.8998, 1.89, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.6, 1.2, 1.3, 1.3, 1.3, 1.3]


def schedule(make, metrics=None):
    opt = SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    s = make(opt)
    rates = []
    for _ in range(20):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        if len(rates) < 20:
            s.step() if metrics is None else s.step(metrics[len(rates) - 1])
    return rates


S = torch.optim.lr_scheduler
schedules = {
    "cosine": schedule(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 20, eta_min=0.01)),
    "oneCycle": schedule(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=20, pct_start=0.3)),
    "stepDecay": schedule(lambda o: S.StepLR(o, 6, gamma=0.5)),
    "multiStepDecay": schedule(lambda o: S.MultiStepLR(o, [3, 4, 15], gamma=0.3)),
    "exponentialDecay": schedule(lambda o: S.ExponentialLR(o, 0.9)),
    "linear": schedule(lambda o: S.LinearLR(o, start_factor=0.25, end_factor=1.0, total_iters=7)),
    "polynomialDecay": schedule(lambda o: S.PolynomialLR(o, total_iters=12, power=2.0)),
    "cosineRestarts": schedule(lambda o: S.CosineAnnealingWarmRestarts(o, 3, T_mult=2, eta_min=0.01)),
    "cosineRestartsAlike": schedule(lambda o: S.CosineAnnealingWarmRestarts(o, 6)),
    "sequence": schedule(lambda o: S.SequentialLR(o, [S.LinearLR(o, start_factor=0.1, total_iters=5), S.ExponentialLR(o, 0.8)], milestones=[5])),
    "plateau": schedule(lambda o: S.ReduceLROnPlateau(o, factor=0.5, patience=2, cooldown=1), METRICS),
    "plateauMax": schedule(lambda o: S.ReduceLROnPlateau(o, mode="max", factor=0.5, patience=3, threshold=0.2, threshold_mode="abs", min_lr=0.02), METRICS),
}

clips = [clip(1.0, 2.0), clip(100.0, 2.0), clip(0.5, 1.0), clip(0.5, 3.0), clip(0.5, math.inf)]
note = f"made by tools/parity/pytorch.py with PyTorch {torch.__version__}"
ROOT.mkdir(parents=True, exist_ok=True)
(ROOT / "pytorch-nn.json").write_text(json.dumps({"note": note, "layers": layers, "losses": losses}, separators=(",", ":")) + "\n")
(ROOT / "pytorch-optim.json").write_text(json.dumps({"note": note, "optimisers": optimisers, "clips": clips, "schedules": schedules, "metrics": METRICS}, separators=(",", ":")) + "\n")
