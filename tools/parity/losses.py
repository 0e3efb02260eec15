"""Writes test/fixtures/losses.safetensors: what PyTorch computes for nabla's losses, forward and backward, in float64.

Run with any recent PyTorch: python tools/parity/losses.py
"""
import torch
import torch.nn.functional as F
from fixture import rand, save, weighted

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
cases = {}
NAMES = {"label_smoothing": "labelSmoothing", "ignore_index": "ignoreIndex", "pos_weight": "posWeight", "log_target": "logTarget", "log_input": "logInput", "zero_infinity": "zeroInfinity"}


def loss(name, fn, x, target, **options):
    """One more case; options keep PyTorch's names here, and its own function names where nabla has the same."""
    x = x.detach().float().double().requires_grad_()
    target = target if target.dtype == torch.int64 else target.float().double()
    y = fn(x, target, **options)
    weighted(y).backward()
    text = lambda v: "…" if isinstance(v, torch.Tensor) else v
    title = ", ".join([name, *(f"{k} {text(v)}" for k, v in options.items())])
    while title in cases:
        title += " again"
    given = {NAMES.get(k, k): "batchMean" if v == "batchmean" else v for k, v in options.items()}
    cases[title] = {"loss": name, "x": x, "target": target, "options": given, "y": y, "gradX": x.grad}


def hinge(x, y, **o):
    return F.multi_margin_loss(x, y, **o) * x.shape[1]


def triplet(x, y, **o):
    """The negatives are the positives in reverse."""
    return F.triplet_margin_loss(x, y, y.flip(0), **o)


def signs(n):
    """Labels of 1 and −1."""
    return torch.tensor([-1.0 if k % 3 == 1 else 1.0 for k in range(n)])


def cosine_embedding(x, y, **o):
    return F.cosine_embedding_loss(x, y, signs(len(x)), **o)


def margin_ranking(x, y, **o):
    return F.margin_ranking_loss(x, y, signs(x.numel()).reshape(x.shape), **o)


def hinge_embedding(x, y, **o):
    return F.hinge_embedding_loss(x + 0 * y, signs(x.numel()).reshape(x.shape), **o)


def soft_margin(x, y, **o):
    return F.soft_margin_loss(x + 0 * y, signs(x.numel()).reshape(x.shape), **o)


def gaussian(x, y, **o):
    """The variance is the square of the input; a hundredth of one is below eps."""
    return F.gaussian_nll_loss(x, y, x * x, **o)


def focal(x, y, alpha=0.25, gamma=2.0, reduction="mean"):
    """torchvision.ops.sigmoid_focal_loss."""
    p = torch.sigmoid(x)
    ce = F.binary_cross_entropy_with_logits(x, y, reduction="none")
    p_t = p * y + (1 - p) * (1 - y)
    each = ce * (1 - p_t) ** gamma
    return reduced((alpha * y + (1 - alpha) * (1 - y)) * each if alpha >= 0 else each, reduction)


def ctc(steps, counts, **fixed):
    def of(x, y, **o):
        return F.ctc_loss(F.log_softmax(x, -1), y, steps, counts, **o)
    return of


def reduced(each, reduction):
    return {"mean": each.mean, "sum": each.sum, "none": lambda: each}[reduction]()


def nt_xent(a, b, temperature=0.5, reduction="mean"):
    z = F.normalize(torch.cat([a, b]), dim=1)
    n = len(z)
    similar = (z @ z.T / temperature).masked_fill(torch.eye(n).bool(), -torch.inf)
    return F.cross_entropy(similar, (torch.arange(n) + n // 2) % n, reduction=reduction)


def dice(p, y, smooth=1.0, reduction="mean"):
    p, y = p.flatten(1), y.flatten(1)
    return reduced(1 - (2 * (p * y).sum(1) + smooth) / (p.sum(1) + y.sum(1) + smooth), reduction)


logits, labels = rand(5, 4) * 3, torch.tensor([0, 3, 1, 1, 2])
probabilities = torch.softmax(rand(5, 4), 1).float().double()
log_p = F.log_softmax(logits, 1).float().double()
weight = torch.tensor([0.5, 2.0, 1.0, 0.25])
images, pixels = rand(2, 3, 4), torch.tensor([[0, 2, 1, 1], [2, 2, 0, 1]])
unit = lambda *shape: torch.rand(*shape).float().double()
CE, NLL, MSE, L1, BCE = F.cross_entropy, F.nll_loss, F.mse_loss, F.l1_loss, F.binary_cross_entropy_with_logits

loss("crossEntropy", CE, logits, labels)
loss("crossEntropy", CE, logits, labels, reduction="sum")
loss("crossEntropy", CE, logits, labels, reduction="none")
loss("crossEntropy", CE, logits, labels, label_smoothing=0.1)
loss("crossEntropy", CE, logits, labels, ignore_index=1)
loss("crossEntropy", CE, logits, labels, ignore_index=-100)
loss("crossEntropy", CE, logits, torch.tensor([0, -100, 1, -100, 2]), ignore_index=-100)
loss("crossEntropy", CE, logits, labels, ignore_index=1, label_smoothing=0.2)
loss("crossEntropy", CE, logits, labels, ignore_index=1, reduction="none")
loss("crossEntropy", CE, logits, labels, ignore_index=1, reduction="sum", weight=weight)
loss("crossEntropy", CE, logits, probabilities)
loss("crossEntropy", CE, logits, probabilities, label_smoothing=0.3, reduction="sum")
loss("crossEntropy", CE, images, pixels)
loss("crossEntropy", CE, images, pixels, reduction="none", label_smoothing=0.1, weight=weight[:3].clone())
loss("crossEntropy", CE, images, torch.softmax(rand(2, 3, 4), 1).float().double())
loss("crossEntropy", CE, logits * 100, labels)
loss("crossEntropy", CE, logits, labels, weight=weight)
loss("crossEntropy", CE, logits, labels, weight=weight, label_smoothing=0.2, ignore_index=1)
loss("crossEntropy", CE, logits, labels, weight=weight, reduction="none")
loss("crossEntropy", CE, logits, probabilities, weight=weight, label_smoothing=0.1)
loss("nllLoss", NLL, log_p, labels)
loss("nllLoss", NLL, log_p, labels, ignore_index=3)
loss("nllLoss", NLL, log_p, labels, weight=weight)
loss("nllLoss", NLL, F.log_softmax(images, 1).float().double(), pixels, reduction="sum")
loss("mseLoss", MSE, rand(3, 2), rand(3, 2))
loss("mseLoss", MSE, rand(3, 2), rand(3, 2), reduction="none")
loss("mseLoss", MSE, rand(2, 2, 2), rand(2, 2, 2), reduction="sum")
loss("l1Loss", L1, rand(3, 2), rand(3, 2))
loss("l1Loss", L1, rand(3, 2), rand(3, 2), reduction="sum")
loss("l1Loss", L1, torch.tensor([1.0, -1.0, 0.5]), torch.tensor([1.0, 1.0, 0.25]), reduction="none")
loss("bceWithLogits", BCE, torch.tensor([-200.0, -20.0, -1.0, 0.0, 0.5, 20.0, 200.0]), torch.tensor([0.0, 0.0, 1.0, 1.0, 0.25, 0.0, 1.0]), reduction="none")
loss("bceWithLogits", BCE, rand(4, 2), unit(4, 2))
loss("bceWithLogits", BCE, rand(4, 2), unit(4, 2), reduction="sum")
loss("bceWithLogits", BCE, rand(4, 2), unit(4, 2), pos_weight=torch.tensor([3.0, 0.5]))
loss("bceWithLogits", BCE, rand(4, 2), unit(4, 2), weight=torch.tensor([[2.0], [1.0], [0.0], [0.5]]))
loss("bceLoss", F.binary_cross_entropy, unit(4, 2), unit(4, 2))
loss("bceLoss", F.binary_cross_entropy, unit(4, 2), unit(4, 2), reduction="none", weight=torch.tensor([3.0, 0.5]))
loss("bceLoss", F.binary_cross_entropy, torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5]), torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0]), reduction="sum")
loss("huberLoss", F.huber_loss, rand(4, 3) * 3, rand(4, 3))
loss("huberLoss", F.huber_loss, rand(4, 3) * 3, rand(4, 3), delta=0.3, reduction="sum")
loss("smoothL1Loss", F.smooth_l1_loss, rand(4, 3) * 3, rand(4, 3))
loss("smoothL1Loss", F.smooth_l1_loss, rand(4, 3) * 3, rand(4, 3), beta=0.3)
loss("smoothL1Loss", F.smooth_l1_loss, rand(4, 3), rand(4, 3), beta=0.0)
loss("klDivLoss", F.kl_div, log_p, probabilities)
loss("klDivLoss", F.kl_div, log_p, probabilities, reduction="batchmean")
loss("klDivLoss", F.kl_div, log_p, torch.eye(5, 4), reduction="none")
loss("klDivLoss", F.kl_div, log_p, probabilities.log().float().double(), log_target=True, reduction="sum")
loss("hingeLoss", hinge, logits, labels)
loss("hingeLoss", hinge, logits, labels, margin=0.3, reduction="none")
loss("tripletMarginLoss", triplet, rand(4, 3), rand(4, 3), margin=0.5)
loss("tripletMarginLoss", triplet, rand(4, 3), rand(4, 3), p=1.0, reduction="none")
loss("ntXentLoss", nt_xent, rand(3, 4), rand(3, 4))
loss("ntXentLoss", nt_xent, rand(2, 3), rand(2, 3), temperature=0.1, reduction="sum")
loss("diceLoss", dice, unit(3, 2, 2), (unit(3, 2, 2) > 0.5).double())
loss("diceLoss", dice, unit(2, 5), (unit(2, 5) > 0.5).double(), smooth=0.1, reduction="none")

loss("tripletMarginLoss", triplet, rand(4, 3), rand(4, 3), swap=True, margin=2.0)
loss("cosineEmbeddingLoss", cosine_embedding, rand(5, 3), rand(5, 3))
loss("cosineEmbeddingLoss", cosine_embedding, rand(5, 3), rand(5, 3), margin=0.3, reduction="none")
loss("marginRankingLoss", margin_ranking, rand(5), rand(5), margin=0.2)
loss("marginRankingLoss", margin_ranking, rand(2, 3), rand(2, 3), reduction="sum")
loss("hingeEmbeddingLoss", hinge_embedding, rand(5), rand(5))
loss("hingeEmbeddingLoss", hinge_embedding, rand(2, 3), rand(2, 3), margin=0.3, reduction="none")
loss("softMarginLoss", soft_margin, rand(2, 3) * 4, rand(2, 3))
loss("softMarginLoss", soft_margin, rand(5), rand(5), reduction="none")
loss("multiMarginLoss", F.multi_margin_loss, logits, labels)
loss("multiMarginLoss", F.multi_margin_loss, logits, labels, p=2, margin=0.5, weight=weight, reduction="none")
loss("multiMarginLoss", F.multi_margin_loss, logits[0].clone(), labels[1].clone(), reduction="sum")
several = torch.tensor([[3, 0, -1, 1], [1, -1, 2, 2], [-1, 0, 0, 0], [0, 1, 2, 3], [2, 2, -1, -1]])
loss("multilabelMarginLoss", F.multilabel_margin_loss, logits, several)
loss("multilabelMarginLoss", F.multilabel_margin_loss, logits, several, reduction="none")
loss("multilabelMarginLoss", F.multilabel_margin_loss, logits[0].clone(), several[0].clone(), reduction="sum")
loss("multilabelSoftMarginLoss", F.multilabel_soft_margin_loss, rand(3, 4) * 3, unit(3, 4))
loss("multilabelSoftMarginLoss", F.multilabel_soft_margin_loss, rand(3, 4), unit(3, 4), weight=weight, reduction="none")
loss("poissonNllLoss", F.poisson_nll_loss, rand(3, 2), unit(3, 2) * 5)
loss("poissonNllLoss", F.poisson_nll_loss, rand(3, 2), unit(3, 2) * 5, full=True, reduction="sum")
loss("poissonNllLoss", F.poisson_nll_loss, unit(3, 2), unit(3, 2) * 5, log_input=False, full=True, reduction="none")
loss("gaussianNllLoss", gaussian, rand(3, 2), rand(3, 2))
loss("gaussianNllLoss", gaussian, rand(3, 2), rand(3, 2), full=True, reduction="none", eps=0.5)
loss("focalLoss", focal, rand(3, 2) * 3, (unit(3, 2) > 0.5).double())
loss("focalLoss", focal, rand(3, 2) * 3, unit(3, 2), alpha=-1.0, gamma=3.0, reduction="none")
loss("focalLoss", focal, torch.tensor([-90.0, 90.0, -90.0, 90.0]), torch.tensor([0.0, 1.0, 1.0, 0.0]), reduction="none")
words = torch.tensor([[1, 2, 2, 1], [3, 1, 3, 2], [2, 3, 1, 0]])
loss("ctcLoss", ctc([6, 6, 6], [4, 4, 3]), rand(6, 3, 4), words)
loss("ctcLossOf", ctc([6, 5, 3], [3, 4, 0]), rand(6, 3, 4), words, reduction="none")
loss("ctcLossOf", ctc([6, 5, 3], [3, 4, 0]), rand(6, 3, 4), words.clone(), reduction="sum", blank=0)
loss("ctcLossShort", ctc([4, 4, 4], [4, 4, 3]), rand(6, 3, 4), words, reduction="none", zero_infinity=True)
loss("ctcLossShort", ctc([4, 4, 4], [4, 4, 3]), rand(6, 3, 4), words, zero_infinity=True)
loss("ctcLossJoined", ctc([6, 5, 3], [2, 0, 3]), rand(6, 3, 5), torch.tensor([1, 1, 2, 3, 1]), blank=4)
loss("ctcLossOne", ctc([6], [3]), rand(6, 4), torch.tensor([1, 1, 2]), reduction="none")

save("losses.py", "losses", {"cases": cases})
