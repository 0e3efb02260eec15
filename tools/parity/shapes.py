"""Writes test/fixtures/shapes.json: what PyTorch gives for every operator of a tensor over ranks 0 to 4 and sizes 0 to 3, and
whether it refuses (checksums.py says how). Run with any recent PyTorch: python tools/parity/shapes.py
"""
import itertools
import math
import torch
import torch.nn.functional as F
from checksums import case, save_rows, text

# ---------------------------------------------------------------- shapes

SIZES = (0, 1, 2, 3)
UP_TO_2 = [s for rank in range(3) for s in itertools.product(SIZES, repeat=rank)]
UP_TO_3 = [s for rank in range(4) for s in itertools.product(SIZES, repeat=rank)]
RANK_4 = [(2, 1, 3, 2), (0, 2, 3, 1), (2, 0, 1, 3), (1, 3, 0, 2), (3, 2, 2, 0), (0, 0, 2, 2), (1, 1, 1, 1), (3, 3, 3, 3), (2, 3, 1, 1), (1, 2, 1, 3)]
ALL = UP_TO_3 + RANK_4
FEW = [(), (0,), (1,), (3,), (2, 0), (2, 3), (1, 2, 3), (2, 1, 0, 3), (2, 2, 1, 3)]


def dims_of(shape):
    """One dimension each, from both ends; all; two; none of the shape's."""
    r = len(shape)
    one = list(range(-max(r, 1), max(r, 1)))
    return [None, *one, *[[a, b] for a, b in itertools.combinations(range(r), 2)], [r]]


def turn(options, n):
    return options[n % len(options)]


# ---------------------------------------------------------------- element by element

UNARY = {
    "neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "square": torch.square, "relu": torch.relu, "exp": torch.exp,
    "expm1": torch.expm1, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "sinh": torch.sinh, "cosh": torch.cosh,
    "tanh": torch.tanh, "atan": torch.atan, "erf": torch.erf, "sigmoid": torch.sigmoid, "gelu": F.gelu, "softplus": F.softplus,
    "floor": torch.floor, "ceil": torch.ceil, "round": torch.round, "trunc": torch.trunc, "isNaN": torch.isnan,
    "isFinite": torch.isfinite, "isInf": torch.isinf, "logicalNot": torch.logical_not, "detach": lambda x: x.detach(),
}
POSITIVE = {
    "log": torch.log, "log1p": torch.log1p, "log2": torch.log2, "log10": torch.log10, "sqrt": torch.sqrt, "rsqrt": torch.rsqrt,
    "reciprocal": torch.reciprocal,
}
for name, fn in UNARY.items():
    for s in FEW:
        case(name, [text("f", s)], [], fn)
for name, fn in POSITIVE.items():
    for s in FEW:
        case(name, [text("p", s)], [], fn)
for name, fn in {"asin": torch.asin, "acos": torch.acos}.items():
    for s in FEW:
        case(name, [text("f", s)], [], lambda x, f=fn: f(x / 4))
for s in FEW:
    case("clamp", [text("f", s)], [-1, 1.5], torch.clamp)
    case("pow", [text("p", s)], [2.5], torch.pow)
    case("toInt", [text("f", s)], [], lambda x: x.detach().to(torch.int64))
    case("toBool", [text("i", s)], [], lambda x: x.to(torch.bool))
    case("lerp", [text("f", s), text("f", s)], [0.25], torch.lerp)
    case("zerosLike", [text("f", s)], [], torch.zeros_like)
    case("onesLike", [text("i", s)], [], torch.ones_like)

for n, (a, b) in enumerate(itertools.product(UP_TO_2, repeat=2)):
    if n % 3 == 0:
        case("add", [text("f", a), text("f", b)], [], torch.add)
PAIRS = [((), ()), ((), (3,)), ((0,), (1,)), ((3,), (0,)), ((2, 1), (1, 3)), ((2, 3), (3,)), ((1, 0), (2, 1)), ((2, 3), (2, 1)), ((1, 2, 3), (3, 1, 1)), ((2, 1, 3), (2, 1)), ((2, 2, 1, 3), (1, 3, 1)), ((0, 1, 2), (3, 1)), ((2,), (3,)), ((1, 1), ())]
BINARY = {
    "sub": ("f", "f", torch.sub), "mul": ("f", "f", torch.mul), "div": ("f", "p", torch.div), "powOf": ("p", "f", torch.pow),
    "remainder": ("f", "p", torch.remainder), "floorDivide": ("f", "p", lambda x, y: torch.floor_divide(x.detach(), y.detach()) + 0 * x + 0 * y), "maximum": ("f", "f", torch.maximum),
    "minimum": ("f", "f", torch.minimum), "eq": ("i", "i", torch.eq), "ne": ("i", "i", torch.ne), "lt": ("i", "i", torch.lt),
    "le": ("f", "f", torch.le), "gt": ("f", "f", torch.gt), "ge": ("i", "f", torch.ge), "logicalAnd": ("b", "b", torch.logical_and),
    "logicalOr": ("b", "b", torch.logical_or), "logicalXor": ("b", "b", torch.logical_xor), "addInt": ("i", "i", torch.add),
    "mulMixed": ("i", "f", torch.mul), "addBool": ("b", "i", torch.add),
}
for name, (da, db, fn) in BINARY.items():
    for a, b in PAIRS:
        case(name, [text(da, a), text(db, b)], [], fn)
        if a != b:
            case(name, [text(da, b), text(db, a)], [], fn)
for n, (a, b) in enumerate(PAIRS):
    case("where", [text("b", turn([a, b, ()], n)), text("f", a), text("f", b)], [], torch.where)
    case("where", [text("b", b), text("f", ()), text("f", a)], [], torch.where)

# ---------------------------------------------------------------- reductions and order


def axes(fn):
    """Reductions that take dim as a tuple; None is all."""
    return lambda x, dim, keep: fn(x, dim=tuple(range(x.dim())) if dim is None else dim, keepdim=keep)


def prod(x, dim, keep):
    """torch.prod takes one dimension."""
    dims = range(x.dim()) if dim is None else [dim] if isinstance(dim, int) else dim
    x.sum(list(dims))  # refuses what is out of range
    for d in sorted([d % max(x.dim(), 1) for d in dims], reverse=True):
        x = x.prod(d, keepdim=keep)
    return x


def every(fn):
    return lambda x, dim, keep: fn(x) if dim is None and not keep else fn(x, dim=tuple(range(x.dim())) if dim is None else dim, keepdim=keep)


def norm_of(p):
    return lambda x, dim, keep: torch.linalg.vector_norm(x, p, dim=dim if dim is None or isinstance(dim, int) else tuple(dim), keepdim=keep)


REDUCTIONS = {
    "sum": ("f", axes(torch.sum)), "mean": ("f", axes(torch.mean)), "prod": ("f", prod), "amax": ("f", axes(torch.amax)),
    "amin": ("f", axes(torch.amin)), "var": ("f", axes(torch.var)), "std": ("f", axes(torch.std)), "norm": ("p", norm_of(2)),
    "norm1": ("p", norm_of(1)), "norm3": ("p", norm_of(3)), "normMax": ("p", norm_of(math.inf)), "any": ("i", every(torch.any)),
    "all": ("i", every(torch.all)), "logsumexp": ("f", axes(torch.logsumexp)), "sumInt": ("i", axes(torch.sum)),
    "sumBool": ("b", axes(torch.sum)), "meanInt": ("i", lambda x, dim, keep: axes(torch.mean)(x.double(), dim, keep)),
}
for k, (name, (domain, fn)) in enumerate(REDUCTIONS.items()):
    for n, s in enumerate(ALL):
        if k % 2 and n % 2:
            continue
        case(name, [text(domain, s)], [turn(dims_of(s), n * 5 + k), (n + k) % 2 == 0], fn)
    for s in [(), (0,), (1,), (2, 0), (0, 2), (3,)]:
        for dim in (None, 0, -1):
            case(name, [text(domain, s)], [dim, False], fn)


def flat_first(fn):
    return lambda x, dim, keep: fn(x, dim=dim, keepdim=keep)


ONE_DIM = {
    "max": flat_first(torch.max), "min": flat_first(torch.min), "argmax": flat_first(torch.argmax), "argmin": flat_first(torch.argmin),
    "softmax": lambda x, d, _: torch.softmax(x, d), "logSoftmax": lambda x, d, _: torch.log_softmax(x, d),
    "cumsum": lambda x, d, _: torch.cumsum(x, d), "sort": lambda x, d, down: torch.sort(x, dim=d, descending=down, stable=True),
    "argsort": lambda x, d, down: torch.argsort(x, dim=d, descending=down, stable=True), "glu": lambda x, d, _: F.glu(x, d),
    "softmin": lambda x, d, _: F.softmin(x, d),
}
for k, (name, fn) in enumerate(ONE_DIM.items()):
    for n, s in enumerate(ALL):
        r = max(len(s), 1)
        case(name, [text("f", s)], [turn([*range(-r, r), r], n * 3 + k), n % 2 == 0], fn)
    for s in [(), (0,), (1,), (2, 0), (0, 2), (3,)]:
        case(name, [text("f", s)], [0, True], fn)
        case(name, [text("f", s)], [-1, False], fn)
for name, fn in {"argmaxAll": torch.argmax, "argminAll": torch.argmin, "maxAll": torch.max, "minAll": torch.min}.items():
    for s in UP_TO_2 + RANK_4:
        case(name, [text("f", s)], [], fn)
for n, s in enumerate(ALL):
    r = max(len(s), 1)
    case("topk", [text("f", s)], [turn([0, 1, 2, 3], n), turn([*range(-r, r)], n // 2), n % 3 != 0], lambda x, k, d, big: torch.topk(x, k, d, largest=big))
for s in FEW + [(0, 3)]:
    case("sortInt", [text("i", s)], [], lambda x: torch.sort(x, dim=-1, stable=True))
    case("cumsumInt", [text("i", s)], [], lambda x: torch.cumsum(x, 0))
    case("softmaxInt", [text("i", s)], [], lambda x: torch.softmax(x.double(), -1))

# ---------------------------------------------------------------- products

for a, b in itertools.product(UP_TO_2, repeat=2):
    inner = b[-2] if len(b) > 1 else b[-1] if b else None
    if (not a or not b or a[-1] != inner) and (sum(a) + 3 * sum(b)) % 7:
        continue  # a few refusals are enough
    case("matmul", [text("f", a), text("f", b)], [], torch.matmul)
BATCHES = [(), (0,), (1,), (2,), (3, 1), (1, 2), (0, 2), (2, 0)]
for n, (a, b) in enumerate(itertools.product(BATCHES, repeat=2)):
    m, k, p = turn([(2, 3, 1), (0, 2, 3), (2, 0, 3), (1, 2, 0), (3, 1, 2)], n)
    case("matmul", [text("f", (*a, m, k)), text("f", (*b, k, p))], [], torch.matmul)
    case("matmul", [text("f", (*a, m, k)), text("f", (k,))], [], torch.matmul)
    case("matmul", [text("f", (k,)), text("f", (*b, k, p))], [], torch.matmul)
for length, keys, size, width, lead in itertools.product((0, 1, 2), (0, 1, 3), (1, 2), (0, 2), ((), (0,), (2,), (1, 2))):
    q, k, v = (*lead, length, size), (*lead, keys, size), (*lead, keys, width)
    case("attention", [text("f", q), text("f", k), text("f", v)], [], F.scaled_dot_product_attention)
for i, o, lead in itertools.product((0, 1, 3), (0, 2), ((), (0,), (2,), (2, 0), (1, 2, 2))):
    case("linear", [text("f", (*lead, i)), text("f", (o, i)), text("f", (o,))], [], F.linear)

# ---------------------------------------------------------------- movement


def flat(x, a, b):
    return torch.flatten(x, a, b)


TARGETS = [(), (0,), (-1,), (1,), (6,), (2, -1), (-1, 0), (3, 2), (0, 5), (1, 1, 1), (2, 0, 3), (-1, 3, 1), (2, 3), (-1, -1)]
for n, s in enumerate(ALL):
    r = len(s)
    one = [*range(-max(r, 1), max(r, 1)), r]
    for k in range(1 + n % 2):
        case("reshape", [text("f", s)], [list(turn(TARGETS, n * 3 + k * 5))], lambda x, to: x.reshape(to))
    case("transpose", [text("f", s)], [turn(one, n), turn(one, n * 3 + 1)], torch.transpose)
    case("unsqueeze", [text("f", s)], [turn([*range(-r - 1, r + 2)], n)], torch.unsqueeze)
    case("squeeze", [text("f", s)], [turn([None, *one], n)], lambda x, d: x.squeeze() if d is None else x.squeeze(d))
    case("flatten", [text("f", s)], [turn(one[:-1], n), turn(one[:-1], n * 3 + 2)], flat)
    case("flip", [text("f", s)], [turn([[], *[[d] for d in one], list(range(r))], n)], torch.flip)
    # PyTorch takes any dimension of a tensor without elements
    if r > 0:
        case("roll", [text("f", s)], [turn([0, 1, -1, 5], n), turn(one[:-1] if 0 in s else one, n // 2)], torch.roll)
    case("permute", [text("f", s)], [[(i * turn([1, -1], n) + n) % r - (r if n % 3 == 0 else 0) for i in range(r)]], lambda x, o: x.permute(o))
    if r > 0:
        case("slice", [text("f", s)], [turn(one, n * 2 + 1), turn([0, 1, -1, -5, 2], n), turn([None, 1, 2, 0, -1, 9], n // 2), turn([1, 2], n)],
             lambda x, d, a, b, by: x.movedim(d, 0)[a:b:by].movedim(0, d))
    case("split", [text("f", s)], [turn([1, 2, 3], n), turn(one, n // 2)], torch.split)
    case("chunk", [text("f", s)], [turn([1, 2, 3], n), turn(one, n // 3)], torch.chunk)
    case("tril", [text("f", s)], [turn([0, 1, -1, 4], n)], torch.tril)
    case("triu", [text("f", s)], [turn([0, 1, -1, -4], n)], torch.triu)
    pairs = [turn([[0, 0], [1, 0], [0, 2], [1, 1]], n + d) for d in range(turn([r, max(r - 1, 0)], n))]
    case("pad", [text("f", s)], [pairs, turn([0, 1.5], n)], lambda x, p, v: F.pad(x, [q for pair in reversed(p) for q in pair], value=v) if p else x * 1)
    to = [turn([2, 3], n), *[-1 if turn([0, 1], n + i) else m for i, m in enumerate(s)]] if n % 2 else [turn([2, 0, m], n) if m == 1 else m for m in s]
    case("expand", [text("f", s)], [to], lambda x, to: x.expand(to))
for a, b in itertools.product([(), (0,), (2,), (0, 2), (2, 0), (2, 2), (0, 0), (2, 1, 2), (2, 0, 2)], repeat=2):
    for d in (0, -1, 1):
        if (0,) in (a, b) and len(a) == len(b) == d:
            continue  # PyTorch takes any dimension of vectors without elements
        case("cat", [text("f", a), text("f", b)], [d], lambda x, y, d: torch.cat([x, y], d))
    case("stack", [text("f", a), text("f", b)], [turn([0, -1, 1, 2], len(a) + sum(b))], lambda x, y, d: torch.stack([x, y], d))

# ---------------------------------------------------------------- indices

for s in [(), (1,), (3,), (2, 3), (0, 3), (3, 0), (2, 1, 3), (3, 3, 1, 2)]:
    r = max(len(s), 1)
    for d in range(-r, r):
        size = s[d] if s else 1
        for count in (0, 1, 2, 4):
            at = f"n{max(size, 1)}"
            index = tuple(count if i == d % r else m for i, m in enumerate(s)) if s else ()
            if size == 0 and count > 0 and math.prod(index) > 0:
                continue
            case("gather", [text("f", s), text(at, index)], [d], lambda x, i, d: torch.gather(x, d, i))
            case("scatterAdd", [text("f", s), text(at, index), text("f", index)], [d], lambda x, i, y, d: torch.scatter_add(x, d, i, y))
            if size > 0 or count == 0:
                case("indexSelect", [text("f", s), text(at, (count,))], [d], lambda x, i, d: torch.index_select(x, d, i))
for rows, width, index in itertools.product((0, 1, 3), (0, 1, 2), UP_TO_2 + [(2, 1, 3), (2, 0, 2)]):
    if rows > 0 or math.prod(index) == 0:
        case("embedding", [text("f", (rows, width)), text(f"n{max(rows, 1)}", index)], [], lambda t, i: F.embedding(i, t))
for s in UP_TO_2 + [(2, 1, 3)]:
    case("oneHot", [text("n3", s)], [3], lambda i, c: F.one_hot(i, c).double())

# ---------------------------------------------------------------- windows and images

for s in [(0, 2, 3), (1, 2, 3), (2, 0, 3), (2, 2, 0), (2, 3), (3, 2, 1), (3,), (), (1, 2, 3, 3), (0, 2, 3, 3), (2, 2, 0, 3), (2, 3, 3), (2, 2, 3, 2), (1, 0, 3, 3)]:
    for size in (1, 2):
        case("avgPool1d", [text("f", s)], [size], F.avg_pool1d)
        case("maxPool1d", [text("f", s)], [size], F.max_pool1d)
        case("avgPool2d", [text("f", s)], [size], F.avg_pool2d)
        case("maxPool2d", [text("f", s)], [size], F.max_pool2d)
    for size in (1, 2, 3):
        case("adaptiveAvgPool1d", [text("f", s)], [size], F.adaptive_avg_pool1d)
        case("adaptiveMaxPool1d", [text("f", s)], [size], F.adaptive_max_pool1d)
        if len(s) != 2:  # PyTorch takes a matrix for size 1
            case("adaptiveAvgPool2d", [text("f", s)], [size], F.adaptive_avg_pool2d)
        case("adaptiveMaxPool2d", [text("f", s)], [size], F.adaptive_max_pool2d)
    if 0 in s[-3:]:
        continue  # without channels PyTorch gives no output channels, or refuses
    c = s[-2] if len(s) > 1 else 1
    case("conv1d", [text("f", s), text("f", (2, c, 2)), text("f", (2,))], [], F.conv1d)
    case("convTranspose1d", [text("f", s), text("f", (c, 2, 2)), text("f", (2,))], [], F.conv_transpose1d)
    c = s[-3] if len(s) > 2 else 1
    case("conv2d", [text("f", s), text("f", (3, c, 2, 1)), text("f", (3,))], [], F.conv2d)
    case("convTranspose2d", [text("f", s), text("f", (c, 3, 2, 1)), text("f", (3,))], [], F.conv_transpose2d)
    for mode, factor in (("nearest", 2), ("linear", 1.5), ("bilinear", 1.5), ("bicubic", 2)):
        case("interpolate", [text("f", s)], [factor, mode], lambda x, f, m: F.interpolate(x, scale_factor=f, mode=m))


def unpooled(pool, unpool):
    """Back from the maxima of windows of 2."""
    def of(x, size):
        values, indices = pool(x, 2, return_indices=True)
        return unpool(values, indices, 2, output_size=size)
    return of


for s in [(2, 2, 4), (0, 2, 4), (1, 1, 3), (2, 4), (3,), ()]:
    case("maxUnpool1d", [text("f", s)], [list(s[-1:])], unpooled(F.max_pool1d, F.max_unpool1d))
for s in [(2, 2, 4, 2), (0, 2, 2, 4), (1, 1, 3, 2), (2, 4, 2), (3, 2), (2,)]:
    case("maxUnpool2d", [text("f", s)], [list(s[-2:])], unpooled(F.max_pool2d, F.max_unpool2d))
for s in [(4, 1, 1), (4, 2, 3), (2, 8, 1, 2), (0, 4, 2, 2), (1, 0, 2, 2), (2, 2), (3, 2, 2), (4, 0, 2)]:
    case("pixelShuffle", [text("f", s)], [2], F.pixel_shuffle)
    case("pixelUnshuffle", [text("f", s)], [2], F.pixel_unshuffle)

# ---------------------------------------------------------------- made of nothing

for count in (0, 1, 2, 3):
    case("linspace", [], [-1, 2, count], torch.linspace)
    case("arange", [], [1, 1 + count, 1], torch.arange)
    case("arangeStep", [], [0, count, 0.5], torch.arange)
    for m in (0, 1, 3):
        case("eye", [], [count, m], torch.eye)
for s in UP_TO_2 + RANK_4:
    case("full", [], [list(s), 2.5], torch.full)

# ---------------------------------------------------------------- functions of nn

FUNCTIONAL = {
    "leakyRelu": F.leaky_relu, "elu": F.elu, "celu": F.celu, "selu": F.selu, "silu": F.silu, "mish": F.mish, "logSigmoid": F.logsigmoid,
    "softsign": F.softsign, "tanhshrink": F.tanhshrink, "hardtanh": F.hardtanh, "relu6": F.relu6, "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish, "hardshrink": F.hardshrink, "softshrink": F.softshrink, "rrelu": F.rrelu,
}
for name, fn in FUNCTIONAL.items():
    for s in FEW:
        case(name, [text("f", s)], [], fn)
for s in UP_TO_3:
    for w in ((1,), (2,), (3,)):
        if len(w) == 1 and w[0] > 1 and sum(s) % 2:
            continue
        case("prelu", [text("f", s), text("f", w)], [], F.prelu)
for s in UP_TO_2 + [(2, 1, 3), (0, 2, 3)]:
    for reduction in ("mean", "sum", "none"):
        for name, fn in {"mseLoss": F.mse_loss, "l1Loss": F.l1_loss, "huberLoss": F.huber_loss, "smoothL1Loss": F.smooth_l1_loss}.items():
            if reduction == "mean" or len(s) < 2:
                case(name, [text("f", s), text("f", s)], [reduction], lambda x, y, r, f=fn: f(x, y, reduction=r))
        case("bceWithLogits", [text("f", s), text("p", s)], [reduction], lambda x, y, r: F.binary_cross_entropy_with_logits(x, y.detach(), reduction=r))
for n, c, rest in itertools.product((0, 1, 3), (1, 3), ((), (0,), (2,), (2, 1))):
    for reduction in ("mean", "sum", "none"):
        case("crossEntropy", [text("f", (n, c, *rest)), text(f"n{c}", (n, *rest))], [reduction], lambda x, y, r: F.cross_entropy(x, y, reduction=r))
        case("nllLoss", [text("f", (n, c, *rest)), text(f"n{c}", (n, *rest))], [reduction], lambda x, y, r: F.nll_loss(x, y, reduction=r))
for s in [(0, 3), (2, 3), (0, 2, 3), (3,), (2, 0, 3), (1, 2, 3), (0, 0, 3)]:
    c = (s[-1],)
    case("layerNorm", [text("f", s), text("f", c), text("f", c)], [], lambda x, w, b: F.layer_norm(x, w.shape, w, b))
    case("rmsNorm", [text("f", s), text("f", c)], [], lambda x, w: F.rms_norm(x, w.shape, w, 1e-5))
for s in [(0, 2, 3), (2, 4, 0), (2, 4), (1, 4, 3), (2, 2, 2, 1), (0, 2)]:
    case("groupNorm", [text("f", s), text("f", (s[1],)), text("f", (s[1],))], [2], lambda x, w, b, g: F.group_norm(x, g, w, b))

save_rows("shapes.py", "shapes")
