"""Writes test/fixtures/composed.json: what PyTorch gives for the operators of src/functions that are composed of others (products,
element-wise functions, distances, padding), and whether it refuses (checksums.py says how).
Run with any recent PyTorch: python tools/parity/composed.py
"""
import itertools
import math
import torch
import torch.nn.functional as F
from checksums import case, save_rows, text

f = lambda *shape: text("f", shape)
i = lambda *shape: text("i", shape)

# ---------------------------------------------------------------- products

EINSUM = [
    ("ij,jk->ik", f(2, 3), f(3, 2)), ("ij,jk", f(2, 3), f(3, 2)), ("ij,kj->ki", f(2, 3), f(4, 3)), ("i,i", f(3), f(3)), ("i,i->", f(3), f(3)),
    ("i,j->ij", f(2), f(3)), ("ii", f(3, 3)), ("ii->i", f(3, 3)), ("iij->ji", f(2, 2, 3)), ("ijij->ij", f(2, 3, 2, 3)), ("iii->i", f(3, 3, 3)),
    ("ij->ji", f(2, 3)), ("ij->", f(2, 3)), ("ij->j", f(2, 3)), ("ba", f(2, 3)), ("bA", f(2, 3)), ("bij,bjk->bik", f(2, 2, 3), f(2, 3, 2)),
    ("bij,bij->b", f(2, 2, 3), f(2, 2, 3)), ("...ij,...jk->...ik", f(2, 2, 3), f(2, 3, 2)), ("...ij,...jk", f(3, 1, 2, 3), f(2, 3, 2)),
    ("i...,i...->...", f(2, 3), f(2, 1)), ("...i,i->...", f(2, 3, 4), f(4)), ("...,...->...", f(2, 1), f(1, 3)), ("...i->i", f(2, 3)),
    ("i...j->ij", f(2, 3, 2)), ("... , ij -> ij ...", f(2), f(1, 3)), ("ij,ij->ij", f(2, 3), f(2, 3)), ("ij,ij->ij", f(2, 1), f(1, 3)),
    ("ij,jk->ik", f(2, 1), f(3, 2)), ("ij,jk->ik", f(2, 0), f(0, 3)), ("ij,jk->ik", f(0, 2), f(2, 3)), (",ij->ij", f(), f(2, 2)), (",", f(), f()),
    ("ij,jk,kl->il", f(2, 3), f(3, 4), f(4, 2)), ("ij,jk,kl,lm->im", f(2, 3), f(3, 1), f(1, 4), f(4, 2)), ("ab,bc,ca", f(2, 3), f(3, 2), f(2, 2)),
    ("bn,anm,bm->ba", f(2, 3), f(4, 3, 2), f(2, 2)), ("i,j,k->kji", f(2), f(3), f(2)), ("a,ab,abc,bc->c", f(2), f(2, 3), f(2, 3, 2), f(3, 2)),
    ("ij,jk->ik", i(2, 3), i(3, 2)), ("ii->i", i(3, 3)), ("bhqd,bhkd->bhqk", f(2, 2, 3, 2), f(2, 2, 1, 2)), ("ijk,jil->kl", f(2, 3, 2), f(3, 2, 2)),
    ("a,b,c,d,e,f,g,h,i->", *[f(1 + k % 3) for k in range(9)]), ("ab,bc,cd,de,ef,fg,gh,hi,ij->aj", *[f(1 + k % 3, 1 + (k + 1) % 3) for k in range(9)]),
    # refused
    ("ij,jk", f(2, 3), f(2, 3)), ("ij", f(3)), ("ii", f(2, 3)), ("ij->ii", f(2, 3)), ("ij->k", f(2, 3)), ("i1", f(2, 3)), ("ij,", f(2, 3)),
    ("ij", f(2, 3), f(2, 3)), ("ij->i->j", f(2, 3)), ("ij->...i", f(2, 3)), ("i..", f(2, 3)),
]
for equation, *inputs in EINSUM:
    case("einsum", inputs, [equation], lambda *a: torch.einsum(a[-1], *a[:-1]))

VECTORS = [(), (0,), (1,), (2,), (3,), (2, 3)]
MATRICES = [(2, 3), (3, 2), (0, 2), (2, 0), (1, 1), (3,), (2, 2, 3), (2, 3, 2), (0, 3, 2), (2, 0, 2)]
for a, b in itertools.product(VECTORS, repeat=2):
    for name, fn in {"outer": torch.outer, "dot": torch.dot, "vdot": torch.vdot, "inner": torch.inner}.items():
        if a == b or (sum(a) + 2 * sum(b) + len(name)) % 3 == 0:
            case(name, [f(*a), f(*b)], [], fn)
for a, b in itertools.product(MATRICES, repeat=2):
    case("inner", [f(*a), f(*b)], [], torch.inner)
    for name, fn in {"mv": torch.mv, "mm": torch.mm, "bmm": torch.bmm}.items():
        if len(a) == (3 if name == "bmm" else 2) and len(b) in {"mv": (1, 2), "mm": (1, 2), "bmm": (2, 3)}[name]:
            case(name, [f(*a), f(*b)], [], fn)
for name, fn, a, b in [("outer", torch.outer, (2,), (3,)), ("dot", torch.dot, (3,), (3,)), ("mv", torch.mv, (2, 3), (3,)), ("mm", torch.mm, (2, 3), (3, 2)), ("bmm", torch.bmm, (2, 1, 3), (2, 3, 2)), ("inner", torch.inner, (2, 3), (3,)), ("kron", torch.kron, (2, 1), (3,))]:
    case(name, [i(*a), i(*b)], [], fn)

OPTIONS = [{}, {"beta": 0.5, "alpha": -2}, {"beta": 0}, {"alpha": 0}]
for n, base in enumerate([(2, 2), (1, 2), (2,), (), (2, 1), (3,), (1, 2, 2), (2, 2, 2)]):
    for options in OPTIONS[n % 2:: 2]:
        case("addmm", [f(*base), f(2, 3), f(3, 2)], [options], lambda x, a, b, o: torch.addmm(x, a, b, **o))
        case("addmv", [f(*base), f(2, 3), f(3)], [options], lambda x, a, b, o: torch.addmv(x, a, b, **o))
        case("addbmm", [f(*base), f(3, 2, 3), f(3, 3, 2)], [options], lambda x, a, b, o: torch.addbmm(x, a, b, **o))
        case("baddbmm", [f(*base), f(2, 2, 3), f(2, 3, 2)], [options], lambda x, a, b, o: torch.baddbmm(x, a, b, **o))
case("addmm", [f(2, 2), f(2, 0), f(0, 2)], [{}], lambda x, a, b, o: torch.addmm(x, a, b, **o))
case("addbmm", [f(2, 2), f(0, 2, 3), f(0, 3, 2)], [{}], lambda x, a, b, o: torch.addbmm(x, a, b, **o))
case("addmm", [i(2, 2), i(2, 3), i(3, 2)], [{"alpha": 2}], lambda x, a, b, o: torch.addmm(x, a, b, **o))

for a, b, dims in [((2, 3, 4), (3, 4, 2), 2), ((2, 3), (3, 2), 1), ((2, 3), (2, 3), 0), ((2, 3, 4), (4, 2), [[0, 2], [1, 0]]), ((2, 3), (3, 2), [[1], [0]]), ((2, 3), (3, 2), [[-1], [-2]]), ((2, 0), (0, 3), 1), ((3,), (3,), 1), ((2, 3), (3, 2), 2), ((2, 3), (2, 3), 1), ((2, 3), (3, 2), [[0, 1], [1, 0]]), ((), (2,), 0), ((2,), (2,), 2), ((2, 3), (3, 2), [[1], [0, 1]]), ((2, 2), (2, 2), [[0, 0], [0, 1]])]:
    case("tensordot", [f(*a), f(*b)], [dims], torch.tensordot)
for a, b in itertools.product([(), (0,), (2,), (1, 3), (2, 0), (2, 1, 2)], repeat=2):
    case("kron", [f(*a), f(*b)], [], torch.kron)
for a, b, dim in [((3,), (3,), -1), ((2, 3), (2, 3), -1), ((2, 3), (1, 3), 1), ((3, 2), (3, 2), 0), ((2, 3, 1), (2, 3, 4), -2), ((0, 3), (0, 3), -1), ((2, 3), (3,), -1), ((2, 3), (2, 3), 0), ((2, 3), (2, 3), 2), ((2, 2), (2, 2), -1)]:
    case("cross", [f(*a), f(*b)], [dim], lambda x, y, d: torch.linalg.cross(x, y, dim=d))
for shapes in [[(2, 3), (3, 2)], [(2, 3), (3, 1), (1, 4)], [(3,), (3, 2), (2,)], [(3,), (3,)], [(1, 3), (3, 2), (2, 4), (4, 2), (2, 1)], [(2, 3), (3,)], [(2, 0), (0, 3)], [(2, 3), (2, 3)], [(2, 3), (3,), (3, 2)], [(2, 3)], [(2, 2, 2), (2, 2)]]:
    case("multiDot", [f(*s) for s in shapes], [], lambda *a: torch.linalg.multi_dot(a))
    if all(len(s) == 2 for s in shapes):
        case("chainMatmul", [f(*s) for s in shapes], [], lambda *a: torch.chain_matmul(*a))
for n, s in enumerate([(2, 2), (1, 1), (3, 3), (2, 2, 2), (0, 2, 2), (2, 0, 0), (2, 3), (3,), ()]):
    for power in (0, 1, 2, 3, 5)[n % 2:: 2] if n < 6 else (2,):
        case("matrixPower", [f(*s)], [power], lambda x, p: torch.linalg.matrix_power(x, p))

# ---------------------------------------------------------------- element by element

FEW = [(), (0,), (1,), (3,), (2, 0), (2, 3), (2, 1, 0, 3), (2, 2, 1, 3)]
UNARY = {
    "exp2": torch.exp2, "erfc": torch.erfc, "asinh": torch.asinh, "sinc": torch.sinc, "deg2rad": torch.deg2rad, "rad2deg": torch.rad2deg,
    "frac": torch.frac, "signbit": torch.signbit, "nanToNum": torch.nan_to_num,
}
for name, fn in UNARY.items():
    for s in FEW:
        case(name, [f(*s)], [], fn)
    if name != "frac":
        case(name, [i(2, 3)], [], lambda x, fn=fn: fn(x) if name in ("nanToNum", "signbit") else fn(x.double()))
for s in FEW:
    case("erfinv", [f(*s)], [], lambda x: torch.erfinv(x / 4))
    case("atanh", [f(*s)], [], lambda x: torch.atanh(x / 4))
    case("acosh", [text("p", s)], [], lambda x: torch.acosh(x + 1))
    case("logit", [text("p", s)], [], lambda x: torch.logit(x / 4))
    case("logitOf", [f(*s)], [0.25], torch.logit)
case("nanToNum", [f(2, 3)], [{"nan": 1, "posinf": 2, "neginf": -2}], lambda x, o: torch.nan_to_num(x / (x * 0), **o))

PAIRS = [((), ()), ((), (3,)), ((0,), (1,)), ((2, 1), (1, 3)), ((2, 3), (3,)), ((1, 0), (2, 1)), ((2, 3), (2, 1)), ((2, 2, 1, 3), (1, 3, 1)), ((2,), (3,))]
BINARY = {
    "atan2": ("f", "f", torch.atan2), "hypot": ("f", "f", torch.hypot), "fmod": ("f", "p", torch.fmod), "logaddexp": ("f", "f", torch.logaddexp),
    "logaddexp2": ("f", "f", torch.logaddexp2), "xlogy": ("f", "p", torch.xlogy), "xlog1py": ("f", "p", torch.special.xlog1py),
    "copysign": ("f", "f", torch.copysign), "fmax": ("f", "f", torch.fmax), "fmin": ("f", "f", torch.fmin),
    "heaviside": ("f", "f", lambda x, y: torch.heaviside(x.detach(), y.detach())), "isclose": ("f", "f", torch.isclose),
    "fmodInt": ("i", "n3", lambda x, y: torch.fmod(x, y + 1)), "bitwiseAnd": ("i", "i", torch.bitwise_and), "bitwiseOr": ("i", "i", torch.bitwise_or),
    "bitwiseXor": ("i", "i", torch.bitwise_xor), "bitwiseLeftShift": ("i", "n9", torch.bitwise_left_shift), "bitwiseRightShift": ("i", "n9", torch.bitwise_right_shift),
    "gcd": ("i", "i", torch.gcd), "lcm": ("i", "i", torch.lcm), "copysignMixed": ("i", "f", lambda x, y: torch.copysign(x.double(), y)),
}
for name, (da, db, fn) in BINARY.items():
    for a, b in PAIRS:
        case(name, [text(da, a), text(db, b)], [], fn)
        if a != b:
            case(name, [text(da, b), text(db, a)], [], fn)
for name, fn in {"bitwiseAnd": torch.bitwise_and, "bitwiseOr": torch.bitwise_or, "bitwiseXor": torch.bitwise_xor}.items():
    case(name, [text("b", (2, 3)), text("b", (3,))], [], fn)
    case(name, [text("b", (2, 3)), text("i", (3,))], [], fn)
    case(name, [f(2), f(2)], [], fn)
    case(name, [i(2, 3)], [5], fn)
for domain in ("i", "b", "f"):
    case("bitwiseNot", [text(domain, (2, 3))], [], torch.bitwise_not)
for name, fn in {"atan2": torch.atan2, "fmod": torch.fmod, "xlogy": torch.xlogy, "copysign": torch.copysign, "hypot": torch.hypot, "logaddexp": torch.logaddexp, "heaviside": lambda x, y: torch.heaviside(x.detach(), y)}.items():
    case(name, [f(2, 3)], [1.25], lambda x, v, fn=fn: fn(x, torch.tensor(v)))
case("bitwiseLeftShift", [i(3)], [33], lambda x, v: torch.bitwise_left_shift(x.int(), v).long())
case("bitwiseRightShift", [i(3)], [31], torch.bitwise_right_shift)
for a, b in PAIRS:
    case("addcmul", [f(*b), f(*a), f(*b)], [{"value": -0.5}], lambda x, y, z, o: torch.addcmul(x, y, z, **o))
    case("addcdiv", [f(*a), f(*b), text("p", a)], [{}], lambda x, y, z, o: torch.addcdiv(x, y, z, **o))
    case("lerp", [f(*a), f(*b), text("p", a)], [], torch.lerp)
    case("lerp", [f(*a), f(*b)], [0.75], torch.lerp)
    case("clamp", [f(*a), f(*b), text("p", ())], [], torch.clamp)
    case("clampLow", [f(*a), f(*b)], [], lambda x, low: torch.clamp(x, min=low))
    case("clampHigh", [f(*a), f(*b)], [], lambda x, high: torch.clamp(x, max=high))

# ---------------------------------------------------------------- norms and distances

POWERS = [2, 1, 3, "inf", "-inf", 0, 0.5, -1]
number = lambda p: float(p) if isinstance(p, str) and p != "fro" else p
SHAPES = [(), (1,), (3,), (2, 3), (1, 0, 2), (2, 1, 3), (2, 2, 1, 3), (0,), (0, 3)]
for n, s in enumerate(SHAPES):
    dims = [None, 0, -1, [0, 1], len(s)]
    for k, p in enumerate(POWERS):
        d, keep = dims[(n + k) % 5], (n + k) % 2 == 0
        dim = tuple(d) if isinstance(d, list) else d
        case("vectorNorm", [text("p", s)], [p, d, keep], lambda x, p, d, k, dim=dim: torch.linalg.vector_norm(x, number(p), dim=dim, keepdim=k))
    case("norm", [f(*s)], [["fro", 2, 1][n % 3], dims[n % 5], n % 2 == 0], lambda x, p, d, k: torch.norm(x, p, dim=tuple(d) if isinstance(d, list) else d, keepdim=k))
    case("normalize", [f(*s)], [{"dim": [1, 0, -1][n % 3]}], lambda x, o: F.normalize(x, **o))
    case("normalize", [f(*s)], [{"p": 1, "dim": 0, "eps": 2}], lambda x, o: F.normalize(x, **o))
    for p in ("fro", 1, -1, "inf", "-inf"):
        case("matrixNorm", [f(*s)], [p, {"keepdim": n % 2 == 0}], lambda x, p, o: torch.linalg.matrix_norm(x, number(p), **o))
case("matrixNorm", [f(2, 3, 4)], [1, {"dim": [2, 0]}], lambda x, p, o: torch.linalg.matrix_norm(x, p, dim=tuple(o["dim"])))
case("matrixNorm", [f(2, 3, 4)], ["inf", {"dim": [0, -1]}], lambda x, p, o: torch.linalg.matrix_norm(x, math.inf, dim=tuple(o["dim"])))
for n, (a, b) in enumerate([((2, 3), (2, 3)), ((3,), (3,)), ((2, 3), (1, 3)), ((2, 1, 3), (2, 3)), ((0, 3), (0, 3)), ((2, 0), (2, 0)), ((2, 3), (2, 2)), ((2, 2, 1, 3), (1, 3))]):
    for dim in (1, -1):
        case("cosineSimilarity", [f(*a), f(*b)], [{"dim": dim}], lambda x, y, o: F.cosine_similarity(x, y, **o))
    case("cosineSimilarity", [f(*a), f(*b)], [{"dim": 0, "eps": 4}], lambda x, y, o: F.cosine_similarity(x, y, **o))
    case("pairwiseDistance", [f(*a), f(*b)], [{}], lambda x, y, o: F.pairwise_distance(x, y, **o))
    case("pairwiseDistance", [f(*a), f(*b)], [{"p": [1, 3][n % 2], "keepdim": True, "eps": 0.1}], lambda x, y, o: F.pairwise_distance(x, y, **o))
for n, (a, b) in enumerate([((2, 3), (4, 3)), ((3, 1), (3, 1)), ((2, 2, 3), (2, 1, 3)), ((2, 1, 2, 3), (3, 4, 3)), ((0, 3), (2, 3)), ((2, 3), (0, 3)), ((2, 0), (3, 0)), ((2, 3), (2, 2)), ((3,), (2, 3)), ((30, 3), (2, 3))]):
    for p in (2, 1, "inf", 3, 0, 0.5)[n % 2:: 2] + (2,):
        case("cdist", [f(*a), f(*b)], [p], lambda x, y, p: torch.cdist(x, y, number(p)))
case("cdistSelf", [f(4, 3)], [2], lambda x, p: torch.cdist(x, x, p))
case("cdistSelf", [f(4, 3)], [1], lambda x, p: torch.cdist(x, x, p))
for s in [(3, 2), (1, 2), (0, 2), (4, 1), (3, 0), (3,), (2, 2, 2)]:
    for p in (2, 1, "inf", 3):
        # PyTorch's derivative crashes where there are no pairs
        case("pdist", [f(*s)], [p], lambda x, p: F.pdist(x if x.shape[0] > 1 else x.detach(), number(p)))

# ---------------------------------------------------------------- padding, patches, grids


def padded(x, pairs, o):
    """Pairs in the order of the dimensions."""
    return F.pad(x, [q for pair in reversed(pairs) for q in pair], **o)


for mode in ("reflect", "replicate", "circular"):
    for s, pairs in [((2, 3), [[1, 2]]), ((2, 2, 3), [[2, 0]]), ((1, 2, 3), [[0, 3]]), ((2, 2, 3), [[1, 1], [2, 1]]), ((1, 2, 3, 3), [[0, 1], [2, 2]]), ((1, 1, 2, 2, 3), [[1, 1], [0, 1], [2, 0]]), ((2, 1), [[1, 0]]), ((2, 3), [[3, 3]]), ((2, 3), [[4, 0]]), ((2, 4), [[-1, 2]]), ((2, 4), [[-1, -2]]), ((2, 2, 3), [[-1, 1], [1, 0]]), ((0, 2, 3), [[1, 1]]), ((2, 3), [[0, 0]])]:
        case("pad", [f(*s)], [pairs, {"mode": mode}], padded)
for s, pairs in [((3,), [[1, 2]]), ((3,), [[-1, 2]]), ((2, 3), [[-1, 1], [2, -2]]), ((3,), [[-2, -1]]), ((3,), [[-2, -2]]), ((3,), [[-4, 3]]), ((2, 3), [[0, -3]]), ((0, 3), [[1, 0], [0, 0]])]:
    for value in (0, 1.5):
        case("pad", [f(*s)], [pairs, {"value": value}], padded)
case("pad", [i(2, 3)], [[[1, -1]], {"value": 7}], padded)
case("pad", [text("b", (2, 3))], [[[1, -1]], {"value": 1}], padded)

WINDOWS = [{}, {"stride": 2}, {"padding": 1}, {"dilation": 2, "padding": [1, 2]}, {"stride": [1, 2], "padding": [0, 1]}]
for n, s in enumerate([(1, 2, 3, 4), (2, 1, 4, 4), (2, 3, 3), (0, 2, 3, 3), (2, 3), (1, 1, 1, 1)]):
    for k, options in enumerate(WINDOWS):
        kernel = [2, [1, 3], [3, 2]][(n + k) % 3]
        as_tuples = lambda o: {key: tuple(v) if isinstance(v, list) else v for key, v in o.items()}
        of = lambda v: tuple(v) if isinstance(v, list) else v
        case("unfold", [f(*s)], [kernel, options], lambda x, kernel, o: F.unfold(x, of(kernel), **as_tuples(o)))
for s, size, kernel, options in [((1, 8, 6), [3, 4], 2, {}), ((2, 4, 4), [4, 4], 2, {"stride": 2}), ((8, 20), [3, 4], 2, {"padding": 1}), ((1, 6, 12), [4, 5], [2, 3], {}), ((1, 6, 4), [4, 5], [2, 3], {}), ((1, 7, 6), [3, 4], 2, {}), ((1, 4, 2), [5, 3], 2, {"stride": 3, "dilation": 1}), ((0, 8, 6), [3, 4], 2, {}), ((2,), [3, 4], 2, {})]:
    case("fold", [f(*s)], [size, kernel, options], lambda x, size, kernel, o: F.fold(x, tuple(size), of(kernel), **as_tuples(o)))
for s, size in [((1, 2, 3), [1, 1, 2, 3]), ((2, 2, 3), [2, 3, 1, 4]), ((1, 3, 4), [1, 1, 2, 3, 2]), ((1, 2, 3), [2, 1, 2, 3]), ((2, 3), [1, 1, 2, 3])]:
    for corners in (False, True):
        case("affineGrid", [f(*s)], [size, {"alignCorners": corners}], lambda t, size, o: F.affine_grid(t, size, align_corners=o["alignCorners"]))
for n, (s, g) in enumerate([((1, 2, 3, 4), (1, 2, 3, 2)), ((2, 1, 2, 2), (2, 3, 1, 2)), ((1, 1, 1, 3), (1, 2, 2, 2)), ((1, 2, 2, 3, 2), (1, 2, 1, 3, 3)), ((2, 1, 2, 2), (1, 3, 1, 2)), ((1, 1, 2, 2), (1, 2, 2, 3)), ((0, 1, 2, 2), (0, 2, 2, 2)), ((1, 1, 2, 2), (1, 0, 2, 2))]):
    for mode, padding, corners in itertools.product(("bilinear", "nearest"), ("zeros", "border", "reflection"), (False, True)):
        if n < 4 or (mode, corners) == ("bilinear", False):
            case("gridSample", [f(*s), f(*g)], [{"mode": mode, "paddingMode": padding, "alignCorners": corners}], lambda x, g, o: F.grid_sample(x, g * 0.61, mode=o["mode"], padding_mode=o["paddingMode"], align_corners=o["alignCorners"]))

save_rows("composed.py", "composed")
