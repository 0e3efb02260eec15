"""Writes test/fixtures/functions-arranging.json: what PyTorch gives for the functions that arrange elements, and their gradients
(checksums.py says how). Run with any recent PyTorch: python tools/parity/functions_arranging.py
"""
import itertools
import torch
from checksums import case, save_rows, text

SHAPES = [(), (1,), (0,), (3,), (2, 3), (3, 1), (0, 2), (3, 0), (2, 3, 2), (1, 2, 0), (2, 1, 3, 2)]


def turn(options, n):
    return options[n % len(options)]


for n, s in enumerate(SHAPES):
    r = len(s)
    x, dims = [text("f", s)], [*range(-r, r), r]
    ints = [text("i", s)]
    for counts in ([2] * r, [1] * r, [turn([2, 1, 3], i) for i in range(r + 1)], [turn([0, 2], i) for i in range(r)], [3], []):
        case("repeat", x, [counts], lambda x, c: x.repeat(c))
        case("tile", x, [counts], torch.tile)
    case("repeat", ints, [[2] * r], lambda x, c: x.repeat(c))
    for d in (None, *dims):
        case("repeatInterleave", x, [2, d], lambda x, k, d: torch.repeat_interleave(x, k, d))
        if r and d is not None and d < r:
            counts = [turn([2, 2, 0, 1], i) for i in range(s[d])]
            case("repeatInterleave", x, [counts, d], lambda x, k, d: torch.repeat_interleave(x, torch.tensor(k, dtype=torch.int64), d))
    case("repeatInterleave", x, [0, None], lambda x, k, d: torch.repeat_interleave(x, k, d))
    case("repeatInterleave", x, [-1, None], lambda x, k, d: torch.repeat_interleave(x, k, d))
    case("repeatInterleave", x, [[1, 2, 1, 1, 1], None], lambda x, k, d: torch.repeat_interleave(x, torch.tensor(k), d))
    for d in dims:
        case("unbind", x, [d], torch.unbind)
        case("select", x, [d, turn([0, -1, 1, 5], n)], torch.select)
        case("select", x, [d, turn([-1, 0, 1, -3], n + d)], torch.select)
        case("narrow", x, [d, turn([0, 1, -1, 2], n), turn([1, 0, 2], n + d)], torch.narrow)
        case("narrow", x, [d, turn([1, 0, -2], n), turn([1, 2], n + d)], torch.narrow)
        case("swapaxes", x, [d, turn(dims, n + d)], torch.swapaxes)
        case("unflatten", x, [d, turn([[1, -1], [2, -1], [-1], [1, 2], [-1, 3, 1], [], [-1, -1]], n + d)], lambda x, d, sizes: x.unflatten(d, sizes))
        case("unflatten", x, [d, [s[d], 1] if r and d < r else [1]], lambda x, d, sizes: x.unflatten(d, sizes))
    for a, b in ([0, -1], [-1, 0], [1, 0], [0, 0], [[0, 1], [1, 0]], [[0, 1], [-1, -2]], [[1, 2], [0, 1]], [[0, 0], [0, 1]], [[0], [0, 1]], [[], []]):
        case("movedim", x, [a, b], lambda x, a, b: torch.movedim(x, a if isinstance(a, int) else tuple(a), b if isinstance(b, int) else tuple(b)))
    for k, (offset, (a, b)) in enumerate(itertools.product((0, 1, -1, 2, -5), ((0, 1), (-1, -2), (1, 2), (0, -1), (0, 0)))):
        if r < 3 and (a, b) == (1, 2) and offset:
            continue
        case("diagonal", x, [offset, a, b], torch.diagonal)
        if abs(offset) < 3:
            case("diagEmbed", x, [offset, a, b], torch.diag_embed)
    case("diagonal", ints, [0, 0, 1], torch.diagonal)
    case("diagEmbed", ints, [0, -2, -1], torch.diag_embed)
    for offset in (0, 1, -2):
        case("diag", x, [offset], torch.diag)
    case("trace", x, [], torch.trace)
    case("trace", ints, [], torch.trace)
    case("clone", x, [], torch.clone)
    case("clone", ints, [], torch.clone)
    for k in (0, 1, 2, 3, -1, 5):
        case("rot90", x, [k, turn([[0, 1], [1, 0], [-1, 0], [1, 2]], n + k)], torch.rot90)
    case("rot90", x, [1, [0, 0]], torch.rot90)
    case("atleast1d", x, [], torch.atleast_1d)
    case("atleast2d", x, [], torch.atleast_2d)
    case("atleast3d", x, [], torch.atleast_3d)
    for other in (s, (), (2,), (2, 3)):
        for name, fn in {"hstack": torch.hstack, "vstack": torch.vstack, "dstack": torch.dstack}.items():
            if (0,) in (s, other) and len(s) == len(other) and s != other and name != "hstack":
                continue  # a vector without elements goes with anything there; here too, as a row
            case(name, [text("f", s), text("f", other)], [], lambda x, y, f=fn: f([x, y]))
for a, b, c in itertools.product([(), (1,), (3,), (0,), (2,)], [(2,), (), (0,)], [None, (3,), (2, 2)]):
    shapes = [s for s in (a, b, c) if s is not None]
    for indexing in ("ij", "xy"):
        case("meshgrid", [text("f", s) for s in shapes], [indexing], lambda *xs: torch.meshgrid(*xs[:-1], indexing=xs[-1]))

save_rows("functions_arranging.py", "functions-arranging")
