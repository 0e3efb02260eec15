"""Writes test/fixtures/functions-indexing.json: what PyTorch gives for the functions that select and write by masks and positions, and
their gradients (checksums.py says how). Run with any recent PyTorch: python tools/parity/functions_indexing.py
"""
import itertools
import math
import torch
from checksums import case, save_rows, text

SHAPES = [(), (1,), (0,), (3,), (2, 3), (0, 2), (3, 0), (2, 3, 2), (2, 1, 3, 2)]
PAIRS = [((), ()), ((3,), (3,)), ((2, 3), (3,)), ((2, 3), (2, 1)), ((3,), (2, 1)), ((0, 2), (2,)), ((2, 3), (2, 2)), ((1,), (4,)), ((2, 1, 3), (2, 1, 3)), ((2, 1, 3, 2), (3, 1))]


def domains(shape, dim):
    return f"n{max(shape[dim] if shape else 1, 1)}"


def unique(y, dim):
    """Positions that are all different: the order of floats along a dimension."""
    return y.detach().argsort(dim=dim, stable=True)


for s, m in PAIRS:
    for d in ("f", "x", "i", "b"):
        case("maskedFill", [text(d, s), text("b", m)], [2.5], lambda x, m, v: x.masked_fill(m, v))
        case("maskedSelect", [text(d, s), text("b", m)], [], torch.masked_select)
    case("maskedFillOf", [text("f", s), text("b", m), text("f", ())], [], lambda x, m, v: x.masked_fill(m, v))
    case("maskedFillOf", [text("f", s), text("b", m), text("f", (1,))], [], lambda x, m, v: x.masked_fill(m, v))
for s in SHAPES:
    for d in ("i", "b", "x", "t"):
        case("nonzero", [text(d, s)], [], lambda x: torch.nonzero(x.detach()))
        for size, fill in itertools.product((0, 1, 4, 30), (0, -1)):

            def padded(x, size, fill):
                found = torch.nonzero(x.detach())[:size]
                return torch.cat([found, torch.full((size - len(found), x.dim()), fill, dtype=torch.int64)])

            case("nonzeroOf", [text(d, s)], [size, fill], padded)

for s in SHAPES:
    n = math.prod(s)
    for index in [(), (2,), (0,), (2, 2), (1, 0, 2)]:
        if n > 0 or 0 in index:
            case("take", [text("f", s), text(f"n{max(n, 1)}", index)], [], torch.take)
            case("take", [text("f", s), text(f"n{max(n, 1)}", index)], [-n], lambda x, i, k: torch.take(x, i + k))
    case("takeAlongDim", [text("f", s)], [None], lambda x, d: torch.take_along_dim(x, x.detach().flatten().argsort()))
    for d in range(-len(s), len(s) + 1):
        case("takeAlongDim", [text("f", s)], [d], lambda x, d: torch.take_along_dim(x, x.detach().argsort(dim=d, stable=True) if d < x.dim() else x.long(), d))
for s, i, d in [((2, 3), (2, 1), 1), ((2, 3), (1, 2), 1), ((2, 3), (1, 2), 0), ((2, 1, 3), (1, 4, 3), 1), ((2, 3), (3,), 0), ((1, 3), (2, 3), 1), ((2, 3), (3, 2), 0)]:
    case("takeAlongDimOf", [text("f", s), text(domains(s, d), i)], [d], torch.take_along_dim)
    case("takeAlongDimOf", [text("f", s), text(domains(s, d), i)], [d, -s[d]], lambda x, i, d, k: torch.take_along_dim(x, i + k, d))

# ---------------------------------------------------------------- slices

for s in SHAPES:
    r = max(len(s), 1)
    for d in [*range(-r, r), r]:
        size = (s[d] if s else 1) if d < r else 1
        for count in (0, 1, 2, 5):
            if size == 0 and count > 0:
                continue
            source = tuple(count if i == d % r else m for i, m in enumerate(s)) if s else (count,) if count != 1 else ()
            index = text(f"n{max(size, 1)}", (count,))
            case("indexAdd", [text("f", s), index, text("f", source)], [d, 1], lambda x, i, y, d, a: torch.index_add(x, d, i, y, alpha=a))
            case("indexAdd", [text("f", s), index, text("f", source)], [d, -2.5], lambda x, i, y, d, a: torch.index_add(x, d, i, y, alpha=a))
            case("indexAdd", [text("i", s), index, text("i", source)], [d, 3], lambda x, i, y, d, a: torch.index_add(x, d, i, y, alpha=a))
            fill = lambda x, i, d, v: torch.index_fill(x, d, i, v)
            case("indexFill", [text("f", s), index], [d, 1.5], fill)
            case("indexFill", [text("f", s), index], [d, 1.5, -size], lambda x, i, d, v, k: torch.index_fill(x, d, i + k, v))
            case("indexFill", [text("b", s), index], [d, 1], fill)
            if s or count:
                case("indexFillOf", [text("f", s), index, text("f", ())], [d], lambda x, i, v, d: torch.index_fill(x, d, i, v))
            case("indexCopyRepeated", [text("i", s), index, text("i", source)], [d], lambda x, i, y, d: torch.index_copy(x, d, i, y))
            if count <= max(size, 1) and (s or count == 1):
                case("indexCopy", [text("f", s), text("f", (count,)), text("f", source)], [d], lambda x, i, y, d: torch.index_copy(x, d, unique(i, 0), y) + 0 * i.sum())
        case("indexAdd", [text("f", s), text("n1", (1,)), text("f", (2, 2))], [d, 1], lambda x, i, y, d, a: torch.index_add(x, d, i, y))

# ---------------------------------------------------------------- element by element

turn = 0
for s in SHAPES:
    r = max(len(s), 1)
    for d in [*range(-r, r), r]:
        for k in range(3):
            part = tuple(max(m - (i + k) % 2, 0) for i, m in enumerate(s))
            size = (s[d] if s else 1) if d < r else 1
            index = text(f"n{max(size, 1)}", part)
            if size == 0 and math.prod(part) > 0:
                continue
            case("scatter", [text("f", s), text("f", part), text("f", part)], [d], lambda x, y, z, d: torch.scatter(x, d, unique(y, d), z) + 0 * y.sum())
            case("scatterValue", [text("f", s), index], [d, 1.5], lambda x, i, d, v: torch.scatter(x, d, i, v))
            case("scatterRepeated", [text("i", s), index, text("i", part)], [d], lambda x, i, y, d: torch.scatter(x, d, i, y))
            case("scatterRepeated", [text("i", s), index, text("i", s)], [d], lambda x, i, y, d: torch.scatter(x, d, i, y))
            case("scatterRepeated", [text("b", s), index, text("b", s)], [d], lambda x, i, y, d: torch.scatter(x, d, i, y))
            for reduce, own in itertools.product(("sum", "prod", "mean", "amax", "amin"), (True, False)):
                turn += 1
                if turn % 3:
                    continue
                scatter_reduce = lambda x, i, y, d, how, own: torch.scatter_reduce(x, d, i, y, how, include_self=own)
                case("scatterReduce", [text("f", s), index, text("f", part)], [d, reduce, own], scatter_reduce)
                if k < 2:
                    case("scatterReduce", [text("i", s), index, text("i", s)], [d, reduce, own], scatter_reduce)
                if k > 0 and own:
                    case("scatterReduce", [text("t", s), index, text("t", part)], [d, reduce, own], scatter_reduce)
for reduce, own in itertools.product(("sum", "prod", "mean", "amax", "amin"), (True, False)):
    case("scatterReduceOdd", [text("x", (9,)), text("n9", (20,)), text("x", (20,))], [0, reduce, own], lambda x, i, y, d, how, own: torch.scatter_reduce(x.detach(), d, i, y.detach(), how, include_self=own))

    # longer than two blocks of a scan
    for domain, shape, index in (("p", (7,), (90,)), ("p", (3, 4), (3, 40)), ("f", (5, 2), (37, 2))):
        if not own and reduce in ("amax", "amin"):
            continue  # there PyTorch takes from the gradient for what x happens to have
        case("scatterReduce", [text(domain, shape), text(f"n{shape[-1]}", index), text(domain, index)], [0 if len(shape) == 1 or index[0] > 3 else 1, reduce, own], scatter_reduce)

# ---------------------------------------------------------------- positions that go together

PUTS = [
    ((3,), [(2,)], (2,)), ((3,), [(4,)], ()), ((3,), [()], ()), ((2, 3), [(2,)], (2, 3)), ((2, 3), [(2,), (2,)], (2,)), ((2, 3), [(2, 1), (2,)], (2, 2)),
    ((2, 3), [(2,), (2,)], ()), ((2, 3, 2), [(3,), (3,)], (3, 2)), ((2, 3, 2), [(3,), (1,)], (2,)), ((2, 3, 2), [(2,)], (1, 2)), ((2, 3), [(2,)], (5,)),
    ((0, 2), [(0,)], (0, 2)), ((2, 0), [(2,)], ()), ((2, 3), [(0,)], ()), ((2, 3), [(2,), (3,)], ()), ((2, 3), [(2,), (2,), (2,)], ()), ((2, 1, 3, 2), [(2,), (2,), (2,)], (2, 2)),
]
for s, lists, values in PUTS:
    for accumulate in (True, False):
        inputs = [text("f", s), *[text(f"n{max(([*s, 1])[k], 1)}", i) for k, i in enumerate(lists)], text("f", values)]
        put = lambda x, *rest: torch.index_put(x, tuple(rest[:-2]), rest[-2], accumulate=rest[-1])
        if accumulate:
            case("indexPut", inputs, [accumulate], put)
        else:
            case("indexPut", ["i" + i[1:] if i[0] == "f" else i for i in inputs], [accumulate], put)
for s, counts, d in [((3,), 2, 0), ((2, 3), 2, 0), ((4, 3), 3, 0), ((2, 3), 2, 1), ((2, 3, 2), 2, 1), ((2, 3, 4), 3, 2)]:

    def put_unique(x, i, y, d):
        out = x.clone()
        out[(slice(None),) * d + (unique(i, 0),)] = y
        return out + 0 * i.sum()

    case("indexPutAlong", [text("f", s), text("f", (counts,)), text("f", tuple(counts if k == d else n for k, n in enumerate(s)))], [d], put_unique)
    case("indexPutAlong", [text("f", s), text("f", (counts,)), text("f", ())], [d], put_unique)

save_rows("functions_indexing.py", "functions-indexing")
