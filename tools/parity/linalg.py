"""Writes test/fixtures/linalg.json: what PyTorch's torch.linalg gives, in float64, for matrices that are well- and ill-conditioned, graded,
rank-deficient, with equal eigenvalues, tall, wide, in batches and without elements, with the gradients of Σ cos(k)·result_k.

Run with any recent PyTorch: python tools/parity/linalg.py

Numbers of matrices are float32 numbers, so that both dtypes start from the same. Signs of singular vectors and eigenvectors are nabla's: the
largest element of each is positive, of the two singular vectors that of the shorter one.
"""
import json
import pathlib
import scipy.linalg
import torch

torch.manual_seed(21)
L = torch.linalg


def f32(x):
    return x.float().double()


def hilbert(n):
    i = torch.arange(n, dtype=torch.float64)
    return f32(1 / (i[:, None] + i + 1))


def spd(*shape):
    x = torch.randn(*shape, dtype=torch.float64)
    n = shape[-1]
    return f32(x @ x.mT + n * torch.eye(n, dtype=torch.float64))


def orthogonal(n):
    return L.qr(torch.randn(n, n, dtype=torch.float64))[0]


randn = lambda *shape: f32(torch.randn(*shape, dtype=torch.float64))
symmetric = lambda x: f32((x + x.mT) / 2)
q = orthogonal(5)
MATRICES = {
    "one": torch.tensor([[2.5]], dtype=torch.float64),
    "none": torch.zeros(0, 0, dtype=torch.float64),
    "two": torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64),
    "general": randn(5, 5),
    "batch": randn(2, 3, 3),
    "large": randn(12, 12),
    "tall": randn(7, 3),
    "wide": randn(3, 7),
    "tallBatch": randn(2, 4, 2),
    "spd": spd(5, 5),
    "spdBatch": spd(2, 3, 3),
    "symmetric": symmetric(randn(5, 5)),
    "repeated": symmetric(q @ torch.diag(torch.tensor([1.0, 1.0, 1.0, 3.0, 3.0], dtype=torch.float64)) @ q.mT),
    "diagonal": torch.diag(torch.tensor([3.0, -1.0, 3.0, 0.5], dtype=torch.float64)),
    "hilbert": hilbert(5),
    "hilbert10": hilbert(10),
    "graded": f32(torch.diag(torch.tensor([1.0, 1e-3, 1e-6, 1e-9], dtype=torch.float64)) @ randn(4, 4)),
    "singular": f32(randn(5, 1).round() @ randn(1, 5).round() + torch.outer(torch.arange(5.0), torch.ones(5)).double()),
    "deficient": f32((randn(6, 2) * 4).round() @ (randn(2, 4) * 4).round()),
    "zero": torch.zeros(3, 3, dtype=torch.float64),
}
SQUARE = ["one", "two", "general", "batch", "large", "spd", "hilbert", "graded"]
ANY = [*SQUARE, "tall", "wide", "tallBatch", "hilbert10", "singular", "deficient", "zero"]
SYMMETRIC = ["one", "spd", "spdBatch", "symmetric", "hilbert10"]
rows = []


def numbers(x):
    return None if x is None else {"shape": list(x.shape), "data": [float(v) for v in x.detach().double().flatten()]}


def case(op, names, fn, args=(), gradient=True):
    inputs = [(MATRICES[n] if isinstance(n, str) else n).clone().requires_grad_(gradient) for n in names]
    out = fn(*inputs)
    out = list(out) if isinstance(out, (tuple, list)) else [out]
    grads = None
    if gradient:
        smooth = [y for y in out if y.is_floating_point()]
        loss = sum((y * torch.cos(torch.arange(1, y.numel() + 1, dtype=torch.float64)).reshape(y.shape)).sum() for y in smooth)
        grads = [numbers(g) for g in torch.autograd.grad(loss, inputs, allow_unused=True)]
    given = [n if isinstance(n, str) else numbers(n) for n in names]
    rows.append({"op": op, "args": list(args), "inputs": given, "out": [numbers(y) for y in out], "grads": grads})


def signs(rows_of_vectors):
    at = rows_of_vectors.detach().abs().argmax(-1, keepdim=True)
    return rows_of_vectors.detach().gather(-1, at).sign()


def eigh(a):
    values, vectors = L.eigh(symmetrised(a))
    return values, vectors * signs(vectors.mT).mT


def symmetrised(a):
    return (a + a.mT) / 2


def svd(a):
    u, s, vh = L.svd(a, full_matrices=False)
    sign = signs(vh) if a.shape[-2] >= a.shape[-1] else signs(u.mT)
    return s, u * sign.mT, vh * sign



for n in SQUARE:
    a = MATRICES[n]
    gradient = n not in ("graded", "hilbert")
    case("det", [n], L.det, gradient=gradient)
    case("slogdet", [n], L.slogdet, gradient=gradient)
    case("inv", [n], L.inv, gradient=gradient) if n != "graded" else None
    case("solve", [n, randn(*a.shape[:-1], 2)], L.solve, gradient=gradient)
    case("solveRight", [n, randn(*a.shape[:-2], 2, a.shape[-1])], lambda a, b: L.solve(a, b, left=False), gradient=gradient)
    case("lu", [n], L.lu, gradient=gradient)
    case("matrixExp", [n], torch.matrix_exp, gradient=gradient)
    for p in (-2, 3):
        case("matrixPower", [n], lambda a: L.matrix_power(a, p), [p], gradient=gradient) if n != "graded" else None
    for p in (2, -2, "fro", "nuc", 1, -1, float("inf"), -float("inf")):
        case("cond", [n], lambda a: L.cond(a, p), [str(p)], gradient=gradient and p in (2, -2) and n != "one") if n not in ("graded", "hilbert", "large") else None
for n in ANY:
    deficient = n in ("singular", "deficient", "zero", "graded", "hilbert", "hilbert10")
    case("svdvals", [n], L.svdvals, gradient=not deficient)
    case("matrixRank", [n], lambda a: L.matrix_rank(a, rtol=1e-10), gradient=False)
    case("pinv", [n], L.pinv, gradient=not deficient) if n not in ("hilbert10", "graded") else None
    case("qr", [n], L.qr, gradient=not deficient) if n not in ("singular", "deficient", "zero", "hilbert10") else None
    case("qrComplete", [n], lambda a: L.qr(a, mode="complete"), gradient=False) if n in ("tall", "wide", "tallBatch") else None
    case("svd", [n], svd, gradient=not deficient) if not deficient else None
    for ord in (2, -2, "nuc", "fro", 1, float("inf")):
        if deficient and ord == -2:
            continue  # what rounding leaves
        case("matrixNorm", [n], lambda a: L.matrix_norm(a, ord), [str(ord)], gradient=not deficient)
    if n not in ("batch", "tallBatch", "graded", "hilbert10"):
        b = randn(MATRICES[n].shape[0], 2)
        case("lstsq", [n, b], lambda a, b: L.pinv(a) @ b, gradient=not deficient)
for n in ("tall", "wide", "general", "tallBatch"):
    case("luAny", [n], L.lu)
for n in SYMMETRIC:
    case("eigh", [n], eigh) if n != "hilbert10" else None
    case("eigvalsh", [n], lambda a: L.eigvalsh(symmetrised(a)), gradient=n != "hilbert10")
for n in ("repeated", "diagonal", "none"):
    case("eigvalsh", [n], lambda a: L.eigvalsh(symmetrised(a)), gradient=False)
for n in ("one", "spd", "spdBatch"):
    case("cholesky", [n], lambda a: L.cholesky(symmetrised(a)))
    case("choleskyUpper", [n], lambda a: L.cholesky(symmetrised(a), upper=True))
    b = randn(*MATRICES[n].shape[:-1], 2)
    case("choleskySolve", [b, n], lambda b, a: torch.cholesky_solve(b, L.cholesky(symmetrised(a))))
for n in ("general", "batch"):
    b = randn(*MATRICES[n].shape[:-1], 2)
    for upper in (True, False):
        for unit in (True, False):
            for left in (True, False):
                fn = lambda a, b: L.solve_triangular(a, b if left else b.mT, upper=upper, left=left, unitriangular=unit)
                case("solveTriangular", [n, b], fn, [upper, left, unit])
case("det", ["singular"], L.det, gradient=False)
case("det", ["zero"], L.det, gradient=False)
case("det", ["none"], L.det, gradient=False)
case("inv", ["none"], L.inv, gradient=False)
case("householderProduct", ["tall", randn(3)], L.householder_product)
case("tensorinv", [randn(2, 3, 6)], lambda a: L.tensorinv(a, ind=2))
case("tensorsolve", [randn(2, 3, 6), randn(2, 3)], L.tensorsolve)


def sorted_pairs(values):
    return values[..., 0].add(values[..., 1] * 1e-3).argsort(-1)


def eigvals(a):
    values = torch.view_as_real(L.eigvals(a))
    return values.gather(-2, sorted_pairs(values)[..., None].expand_as(values))


def eig(a):
    values, vectors = L.eig(a)
    sizes = vectors.abs().square().mT
    return sizes.gather(-2, sorted_pairs(torch.view_as_real(values))[..., None].expand_as(sizes))


def ldl(a):
    lower, d, _ = scipy.linalg.ldl(a.numpy(), lower=True)
    return torch.from_numpy(lower), torch.from_numpy(d)


# Appended, so that the numbers above stay as they are.
MATRICES["hollow"] = symmetric(randn(6, 6)).fill_diagonal_(0)
MATRICES["cyclic"] = torch.eye(5, dtype=torch.float64).roll(1, 0)
for n in ("one", "general", "batch", "cyclic"):
    case("eigvals", [n], eigvals, gradient=n != "cyclic")
    case("eig", [n], eig)
for n in ("one", "spd", "symmetric", "hollow"):
    case("ldl", [n], ldl, gradient=False)
for n in ("general", "tall", "wide"):
    case("qrR", [n], lambda a: L.qr(a)[1])

path = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "linalg.json"
note = f"made by tools/parity/linalg.py with PyTorch {torch.__version__.split('+')[0]}"
text = json.dumps({"note": note, "matrices": {k: numbers(v) for k, v in MATRICES.items()}, "rows": rows}, separators=(",", ":"))
path.write_text(text.replace("Infinity", '"inf"').replace("NaN", '"nan"') + "\n")
print(len(rows), len(text))
