"""Writes test/fixtures/functions-order.json: what PyTorch gives for the functions that order, count and accumulate, and their gradients
(checksums.py says how). Run with any recent PyTorch: python tools/parity/functions_order.py
"""
import itertools
import torch
from checksums import case, save_rows, text

SHAPES = [(), (1,), (0,), (3,), (8,), (2, 3), (3, 4), (0, 2), (3, 0), (2, 3, 4), (2, 1, 3, 2)]
#: Longer than the blocks of a scan, and than two of them.
LONG = [(33,), (100,), (2, 40), (70, 2)]


def turn(options, n):
    return options[n % len(options)]


def detached(fn):
    return lambda x, *rest: fn(x.detach(), *rest)


def only_values(fn):
    """Where ties leave the index open."""
    return lambda *args: fn(*args)[0]


# ---------------------------------------------------------------- running

RUNNING = {"cumprod": torch.cumprod, "cummax": torch.cummax, "cummin": torch.cummin, "logcumsumexp": torch.logcumsumexp}
for name, fn in RUNNING.items():
    for s in SHAPES + LONG:
        r = max(len(s), 1)
        for d in [*range(-r, r), r]:
            case(name, [text("p" if s in LONG else "f", s)], [d], fn)
        case(f"{name}Detached", [text("x", s)], [r - 1], detached(fn))
        case(f"{name}Detached", [text("t", s)], [0], detached(fn))
        if name != "logcumsumexp":
            case(f"{name}Detached", [text("i", s)], [0], fn)
    case(name, [text("t", (40,))], [0], fn)  # zeros among the factors
    case(name, [text("t", (5,))], [0], fn)
for n, s in enumerate(SHAPES):
    r = max(len(s), 1)
    for d in [*range(-r, r), r]:
        for k in (0, 1, 2, 5) if d < r else (1,):
            case("diff", [text(turn("fib", d + k), s)], [k, d], lambda x, k, d: torch.diff(x, n=k, dim=d))
    case("diffBetween", [text("f", s)] * 3, [turn([1, 2], n), -1], lambda x, a, b, n, d: torch.diff(x, n=n, dim=d, prepend=a, append=b))
    case("diffBetween", [text("f", s), text("f", (2,)), text("f", (1,))], [1, 0], lambda x, a, b, n, d: torch.diff(x, n=n, dim=d, prepend=a, append=b))

# ---------------------------------------------------------------- order


def by_rank(fn):
    return lambda x, dim, keep: fn(x) if dim is None else fn(x, dim, keepdim=keep)


for name, fn in {"median": torch.median, "nanmedian": torch.nanmedian}.items():
    for n, s in enumerate(SHAPES):
        r = max(len(s), 1)
        for d in [None, *range(-r, r), r]:
            case(name, [text("f", s)], [d, n % 2 == 0], by_rank(fn))
            case(name, [text("x", s)], [d, n % 2 == 1], by_rank(fn))
        case(name, [text("t", s)], [None, False], by_rank(fn))
        case(f"{name}Values", [text("t", s)], [0, True], only_values(lambda x, d, keep, f=fn: f(x.detach(), d, keepdim=keep)))
        if 0 not in s:  # PyTorch gives the least integer
            case(name, [text("i", s)], [None, False], by_rank(fn))
for n, s in enumerate(SHAPES):
    r = max(len(s), 1)
    for d in [*range(-r, r), r]:
        for k in (1, 2, 3, 0):
            case("kthvalue", [text("f", s)], [k, d, (n + k) % 2 == 0], lambda x, k, d, keep: torch.kthvalue(x, k, d, keepdim=keep))
        case("kthvalueValues", [text("x", s)], [turn([1, 2, 3], d), d, False], only_values(lambda x, k, d, keep: torch.kthvalue(x.detach(), k, d, keepdim=keep)))
        for domain in "fti":
            case("mode", [text(domain, s)], [d, (n + d) % 2 == 0], lambda x, d, keep: torch.mode(x, d, keepdim=keep))
for s in LONG:
    case("modeValues", [text("t", s)], [-1, False], lambda x, d, keep: torch.mode(x.detach(), d, keepdim=keep)[0])
for n, s in enumerate(SHAPES + [(17,)]):
    r = max(len(s), 1)
    for m, d in enumerate([None, *range(-r, r), r]):
        for k, how in enumerate(("linear", "lower", "higher", "midpoint", "nearest")):
            q = turn([0.25, 0, 1, 0.625, [0.5, 0.125], [], [0, 1, 0.75], 1.5], n + 3 * m + k)

            def at(fn):
                return lambda x, q, d, keep, how: fn(x, torch.tensor(q, dtype=x.dtype), d, keepdim=keep, interpolation=how)

            if q == []:
                q = [0.375]
            case("quantile", [text("f", s)], [q, d, (n + k) % 2 == 0, how], at(torch.quantile))
            case("nanquantileDetached", [text("x", s)], [q, d, (n + m) % 2 == 0, how], detached(at(torch.nanquantile)))
            if m % 2 == 0:
                case("quantileDetached", [text("x", s)], [q, d, False, how], detached(at(torch.quantile)))
                case("nanquantile", [text("f", s)], [q, d, False, how], at(torch.nanquantile))

# ---------------------------------------------------------------- statistics


def dims(fn):
    return lambda x, d, *rest: fn(x, tuple(range(x.dim())) if d is None else d if isinstance(d, int) else tuple(d), *rest)


for n, s in enumerate(SHAPES):
    r = max(len(s), 1)
    pairs = [list(p) for p in itertools.combinations(range(len(s)), 2)]
    for m, d in enumerate([None, *range(-r, r), r, *pairs]):
        keep = (n + m) % 2 == 0
        case("stdMean", [text("f", s)], [d, turn([1, 0, 2], m), keep], dims(lambda x, d, c, keep: torch.std_mean(x, d, correction=c, keepdim=keep)))
        case("varMean", [text("f", s)], [d, turn([1, 0], m), keep], dims(lambda x, d, c, keep: torch.var_mean(x, d, correction=c, keepdim=keep)))
        for domain in "fx":
            case("nansum", [text(domain, s)], [d, keep], dims(lambda x, d, keep: torch.nansum(x, d, keepdim=keep)))
            case("nanmean", [text(domain, s)], [d, keep], dims(lambda x, d, keep: torch.nanmean(x, d, keepdim=keep)))
            case("countNonzero", [text("tx"[domain == "x"], s)], [d], detached(dims(torch.count_nonzero)))
        if not isinstance(d, list):
            for domain in "fti":
                case("aminmax", [text(domain, s)], [d, keep], lambda x, d, keep: torch.aminmax(x, dim=d, keepdim=keep))

# ---------------------------------------------------------------- places


def searched(x, v, right):
    return torch.searchsorted(x.detach().sort().values, v.detach(), right=right)


for (s, v), right in itertools.product([((8,), (3,)), ((1,), (2, 3)), ((5,), ()), ((0,), (2,)), ((4,), (0,)), ((2, 7), (2, 4)), ((2, 3), (2, 0)), ((2, 3), (3, 4)), ((2, 3, 4), (2, 3, 2)), ((33,), (9,)), ((2, 3), (3,)), ((), (2,)), ((97,), (50,))], (False, True)):
    for a, b in (("f", "f"), ("t", "t"), ("f", "x"), ("i", "i")):
        case("searchsorted", [text(a, s), text(b, v)], [right], searched if a != "i" else lambda x, v, right: torch.searchsorted(x.sort().values, v, right=right))
    case("bucketize", [text("f", v), text("f", s)], [right], lambda v, x, right: torch.bucketize(v.detach(), x.detach().sort(0).values if x.dim() else x.detach(), right=right))

# ---------------------------------------------------------------- counts

for s in SHAPES + [(40,), (3, 3, 3)]:
    for domain in "tib":
        case("unique", [text(domain, s)], [], detached(lambda x: torch.unique(x, return_inverse=True, return_counts=True)))
    # which NaN is the first one is left open
    case("uniqueCounts", [text("x", s)], [], detached(lambda x: torch.unique(x, return_counts=True)))
    for d in range(-len(s), len(s)):
        if 0 not in s:
            case("uniqueAlong", [text("b", s)], [d], lambda x, d: torch.unique(x, return_inverse=True, return_counts=True, dim=d))
            case("uniqueAlong", [text("n2", s)], [d], lambda x, d: torch.unique(x, return_inverse=True, return_counts=True, dim=d))
for s, domain in itertools.product([(0,), (1,), (7,), (40,), (2, 3), ()], ("n5", "i")):
    case("bincount", [text(domain, s)], [0], lambda x, n: torch.bincount(x, minlength=n))
    case("bincount", [text(domain, s)], [9], lambda x, n: torch.bincount(x, minlength=n))
    if domain == "n5" and s != (0,):
        case("bincountOf", [text(domain, s)], [6], lambda x, n: torch.bincount(x, minlength=n))
        case("bincountWeights", [text(domain, s), text("f", s)], [0], lambda x, w, n: torch.bincount(x, w.detach(), minlength=n))
        case("bincountWeights", [text(domain, s), text("f", (3,))], [0], lambda x, w, n: torch.bincount(x, w.detach(), minlength=n))
for s in SHAPES:
    for bins, low, high in ((4, 0, 0), (8, -1, 1), (1, 0, 0.5), (5, 2, 2), (0, 0, 1), (3, 1, 0)):
        case("histc", [text("f", s)], [bins, low, high], detached(torch.histc))
        case("histc", [text("t", s)], [bins, low, high], detached(torch.histc))
    case("histc", [text("x", s)], [4, -2, 2], detached(torch.histc))

save_rows("functions_order.py", "functions-order")
