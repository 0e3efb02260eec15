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

save_rows("composed.py", "composed")
