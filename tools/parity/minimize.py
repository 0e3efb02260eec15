"""Writes test/fixtures/minimize.json: SciPy's minima of the standard test functions (Moré, Garbow and Hillstrom 1981), with its evaluations,
and PyTorch's path of L-BFGS over fifty steps; lasso, consensus and the dual of a support vector machine from scikit-learn.

Run with any recent SciPy, PyTorch and scikit-learn: python tools/parity/minimize.py
"""
import json
import pathlib
import warnings
import numpy as np
import scipy
import torch
from scipy.optimize import least_squares, minimize

warnings.filterwarnings("ignore")
torch.set_default_dtype(torch.float64)
ROOT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"

BARD = [0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39]
KOWALIK = {"y": [.1957, .1947, .1735, .1600, .0844, .0627, .0456, .0342, .0323, .0235, .0246],
           "u": [4, 2, 1, .5, .25, .167, .125, .1, .0833, .0714, .0625]}
MEYER = [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
OSBORNE1 = [.844, .908, .932, .936, .925, .908, .881, .850, .818, .784, .751, .718, .685, .658, .628, .603, .580, .558, .538, .522, .506,
            .490, .478, .467, .457, .448, .438, .431, .424, .420, .414, .411, .406]
OSBORNE2 = [1.366, 1.191, 1.112, 1.013, .991, .885, .831, .847, .786, .725, .746, .679, .608, .655, .616, .606, .602, .626, .651, .724, .649,
            .649, .694, .644, .624, .661, .612, .558, .533, .495, .500, .423, .395, .375, .372, .391, .396, .405, .428, .429, .523, .562, .607,
            .653, .672, .708, .633, .668, .645, .632, .591, .559, .597, .625, .739, .710, .729, .720, .636, .581, .428, .292, .162, .098, .054]


def count(n):
    return torch.arange(1, n + 1, dtype=torch.float64)


def rosenbrock(x):
    return torch.cat([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])


def helical(x):
    angle = torch.atan(x[1] / x[0]) / (2 * torch.pi) + (0.0 if x[0] > 0 else 0.5)
    return torch.stack([10 * (x[2] - 10 * angle), 10 * (torch.sqrt(x[0] ** 2 + x[1] ** 2) - 1), x[2]])


def box(x):
    t = 0.1 * count(10)
    return torch.exp(-t * x[0]) - torch.exp(-t * x[1]) - x[2] * (torch.exp(-t) - torch.exp(-10 * t))


def trigonometric(x):
    i = count(len(x))
    return len(x) - torch.cos(x).sum() + i * (1 - torch.cos(x)) - torch.sin(x)


def variably(x):
    s = (count(len(x)) * (x - 1)).sum()
    return torch.cat([x - 1, s[None], s[None] ** 2])


def broyden(x):
    zero = torch.zeros(1)
    return (3 - 2 * x) * x - torch.cat([zero, x[:-1]]) - 2 * torch.cat([x[1:], zero]) + 1


def bard(x):
    u = count(15)
    return torch.tensor(BARD) - (x[0] + u / ((16 - u) * x[1] + torch.minimum(u, 16 - u) * x[2]))


def kowalik(x):
    u = torch.tensor(KOWALIK["u"])
    return torch.tensor(KOWALIK["y"]) - x[0] * (u ** 2 + u * x[1]) / (u ** 2 + u * x[2] + x[3])


def meyer(x):
    return x[0] * torch.exp(x[1] / (45 + 5 * count(16) + x[2])) - torch.tensor(MEYER, dtype=torch.float64)


def jennrich(x):
    i = count(10)
    return 2 + 2 * i - (torch.exp(i * x[0]) + torch.exp(i * x[1]))


def osborne1(x):
    t = 10 * (count(33) - 1)
    return torch.tensor(OSBORNE1) - (x[0] + x[1] * torch.exp(-t * x[3]) + x[2] * torch.exp(-t * x[4]))


def osborne2(x):
    t = (count(65) - 1) / 10
    bump = lambda height, width, at: height * torch.exp(-(t - at) ** 2 * width)
    return torch.tensor(OSBORNE2) - (x[0] * torch.exp(-t * x[4]) + bump(x[1], x[5], x[8]) + bump(x[2], x[6], x[9]) + bump(x[3], x[7], x[10]))


PROBLEMS = {
    "rosenbrock2": (rosenbrock, [-1.2, 1]),
    "rosenbrock10": (rosenbrock, [-1.2, 1] * 5),
    "rosenbrock100": (rosenbrock, [-1.2, 1] * 50),
    "beale": (lambda x: torch.stack([1.5 - x[0] * (1 - x[1]), 2.25 - x[0] * (1 - x[1] ** 2), 2.625 - x[0] * (1 - x[1] ** 3)]), [1, 1]),
    "powellSingular": (lambda x: torch.stack([x[0] + 10 * x[1], 5 ** .5 * (x[2] - x[3]), (x[1] - 2 * x[2]) ** 2, 10 ** .5 * (x[0] - x[3]) ** 2]),
                       [3, -1, 0, 1]),
    "wood": (lambda x: torch.stack([10 * (x[1] - x[0] ** 2), 1 - x[0], 90 ** .5 * (x[3] - x[2] ** 2), 1 - x[2], 10 ** .5 * (x[1] + x[3] - 2),
                                    (x[1] - x[3]) / 10 ** .5]), [-3, -1, -3, -1]),
    "helicalValley": (helical, [-1, 0, 0]),
    "brownBadlyScaled": (lambda x: torch.stack([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2]), [1, 1]),
    "box3d": (box, [0, 10, 20]),
    "trigonometric": (trigonometric, [0.1] * 10),
    "variablyDimensioned": (variably, [1 - i / 10 for i in range(1, 11)]),
    "broydenTridiagonal": (broyden, [-1] * 10),
    "bard": (bard, [1, 1, 1]),
    "kowalikOsborne": (kowalik, [.25, .39, .415, .39]),
    "meyer": (meyer, [.02, 4000, 250]),
    "jennrichSampson": (jennrich, [.3, .4]),
    "osborne1": (osborne1, [.5, 1.5, -1, .01, .02]),
    "osborne2": (osborne2, [1.3, .65, .65, .7, .6, 3, 5, 7, 2, 4.5, 5.5]),
}
METHODS = ["CG", "BFGS", "L-BFGS-B", "Newton-CG", "trust-ncg", "trust-exact"]


def solve(residuals, start):
    calls = [0]

    def value(v):
        return (residuals(v) ** 2).sum()

    def both(v):
        calls[0] += 1
        x = torch.tensor(v, requires_grad=True)
        y = value(x)
        y.backward()
        return float(y), x.grad.numpy()

    hessian = lambda v: torch.autograd.functional.hessian(value, torch.tensor(v)).numpy()
    start = np.array(start, dtype=float)
    results = {}
    for method in METHODS:
        calls[0] = 0
        second = {"hess": hessian} if method in ("Newton-CG", "trust-ncg", "trust-exact") else {}
        try:
            r = minimize(both, start, jac=True, method=method, **second)
            results[method] = {"value": float(r.fun), "evaluations": calls[0], "success": bool(r.success)}
        except Exception as error:  # a method that breaks off is no measure
            results[method] = {"value": None, "evaluations": calls[0], "success": False, "error": str(error)}
    for method in "lm", "trf":
        if method == "lm" and len(residuals(torch.tensor(start))) < len(start):
            continue
        r = least_squares(lambda v: residuals(torch.tensor(v)).numpy(), start, method=method, max_nfev=5000,
                          jac=lambda v: torch.autograd.functional.jacobian(residuals, torch.tensor(v)).numpy())
        results[method] = {"value": float(2 * r.cost), "evaluations": int(r.nfev), "success": bool(r.success)}
    return results


def robust():
    """A line through ten points, two of them far off: what each loss makes of it."""
    t = np.arange(10.0)
    y = 2 * t + 1 + 0.1 * np.sin(7 * t)
    y[2] += 10
    y[7] -= 15
    names = {"linear": "linear", "huber": "huber", "soft_l1": "softL1", "cauchy": "cauchy", "arctan": "arctan"}
    fits = {}
    for name, own in names.items():
        r = least_squares(lambda p: p[0] * t + p[1] - y, [2.0, 0.0], loss=name, f_scale=0.5, ftol=1e-14, xtol=1e-14, gtol=1e-14)
        fits[own] = {"x": r.x.tolist(), "cost": float(r.cost)}
    return {"t": t.tolist(), "y": y.tolist(), "scale": 0.5, "fits": fits}


def lbfgs(ridge=0.0, **options):
    """Fifty steps of one iteration each, and of four, on a small network. `drift` is how far rounding takes PyTorch itself: the relative
    difference of the loss, and that of the parameters, to a run whose start differs in the sixteenth digit."""
    torch.manual_seed(3)
    x = torch.randn(20, 3).float().double()
    y = (torch.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:]).float().double()
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
    start = [(torch.randn(p.shape) * 0.5).float().double() for p in model.parameters()]

    def walk(change):
        for p, value in zip(model.parameters(), start):
            p.data = value * (1 + change)
        opt = torch.optim.LBFGS(model.parameters(), **options)

        def closure():
            opt.zero_grad()
            loss = ((model(x) - y) ** 2).mean() + ridge * sum((p ** 2).sum() for p in model.parameters())
            loss.backward()
            return loss

        path = []
        for step in range(50):
            loss = float(opt.step(closure))
            path.append((loss, opt.state[opt._params[0]]["func_evals"], torch.cat([p.detach().reshape(-1) for p in model.parameters()])))
        return path

    rows, (most, furthest) = [], (0.0, 0.0)
    for step, ((loss, evaluations, now), (other, _, then)) in enumerate(zip(walk(0), walk(2.5e-16))):
        most, furthest = max(most, abs(loss - other) / loss), max(furthest, float((now - then).abs().max()))
        row = {"loss": loss, "evaluations": evaluations, "drift": [most, furthest]}
        if step in (0, 1, 2, 5, 10, 20, 49):
            row["parameters"] = now.tolist()
        rows.append(row)
    return {"options": options, "ridge": ridge, "x": x.tolist(), "y": y.tolist(), "start": [p.tolist() for p in start], "path": rows}


def named():
    from sklearn.linear_model import Lasso
    from sklearn.svm import SVC
    rng = np.random.default_rng(5)
    a = rng.normal(size=(30, 8)).round(3)
    truth = np.array([1.5, 0, 0, -2, 0, 0.7, 0, 0])
    b = (a @ truth + 0.1 * rng.normal(size=30)).round(3)
    lam = 3.0
    lasso = Lasso(alpha=lam / 30, fit_intercept=False, tol=1e-14, max_iter=100000).fit(a, b)
    points = np.concatenate([rng.normal(size=(12, 2)) + [1.2, 1], rng.normal(size=(12, 2)) - [1, 1.2]]).round(3)
    labels = np.array([1] * 12 + [-1] * 12)
    svm = SVC(C=1.0, kernel="linear", tol=1e-10).fit(points, labels)
    alpha = np.zeros(24)
    alpha[svm.support_] = np.abs(svm.dual_coef_[0])
    return {"lasso": {"a": a.tolist(), "b": b.tolist(), "lambda": lam, "x": lasso.coef_.tolist()},
            "svm": {"points": points.tolist(), "labels": labels.tolist(), "c": 1.0, "alpha": alpha.tolist(),
                    "weight": svm.coef_[0].tolist(), "bias": float(svm.intercept_[0])}}


def constrained():
    """Small problems with constraints: Hock and Schittkowski 7, 43 (Rosen and Suzuki), 71, by SLSQP."""
    results = {}
    r = minimize(lambda x: np.log(1 + x[0] ** 2) - x[1], [2, 2], method="SLSQP", tol=1e-12,
                 constraints=[{"type": "eq", "fun": lambda x: (1 + x[0] ** 2) ** 2 + x[1] ** 2 - 4}])
    results["hs7"] = {"x": r.x.tolist(), "value": float(r.fun)}
    rosen = [lambda x: 8 - x[0] ** 2 - x[1] ** 2 - x[2] ** 2 - x[3] ** 2 - x[0] + x[1] - x[2] + x[3],
             lambda x: 10 - x[0] ** 2 - 2 * x[1] ** 2 - x[2] ** 2 - 2 * x[3] ** 2 + x[0] + x[3],
             lambda x: 5 - 2 * x[0] ** 2 - x[1] ** 2 - x[2] ** 2 - 2 * x[0] + x[1] + x[3]]
    r = minimize(lambda x: x[0] ** 2 + x[1] ** 2 + 2 * x[2] ** 2 + x[3] ** 2 - 5 * x[0] - 5 * x[1] - 21 * x[2] + 7 * x[3], [0.0] * 4,
                 method="SLSQP", tol=1e-12, constraints=[{"type": "ineq", "fun": f} for f in rosen])
    results["hs43"] = {"x": r.x.tolist(), "value": float(r.fun)}
    r = minimize(lambda x: x[0] * x[3] * (x[0] + x[1] + x[2]) + x[2], [1.0, 5, 5, 1], method="SLSQP", tol=1e-12, bounds=[(1, 5)] * 4,
                 constraints=[{"type": "ineq", "fun": lambda x: np.prod(x) - 25}, {"type": "eq", "fun": lambda x: (x ** 2).sum() - 40}])
    results["hs71"] = {"x": r.x.tolist(), "value": float(r.fun)}
    return results


document = {
    "note": f"made by tools/parity/minimize.py with SciPy {scipy.__version__} and PyTorch {torch.__version__.split('+')[0]}",
    "data": {"bard": BARD, "kowalik": KOWALIK, "meyer": MEYER, "osborne1": OSBORNE1, "osborne2": OSBORNE2},
    "problems": {name: {"start": list(map(float, start)), "scipy": solve(f, start)} for name, (f, start) in PROBLEMS.items()},
    "robust": robust(),
    "lbfgs": {"one iteration a step": lbfgs(lr=0.5, max_iter=1), "four iterations": lbfgs(0.01, lr=0.8, max_iter=4, history_size=5),
              "strong Wolfe": lbfgs(max_iter=1, line_search_fn="strong_wolfe", max_eval=30),
              "strong Wolfe, four iterations": lbfgs(0.01, max_iter=4, history_size=3, line_search_fn="strong_wolfe")},
    "named": named(),
    "constrained": constrained(),
}
path = ROOT / "minimize.json"
path.write_text(json.dumps(document, separators=(",", ":")) + "\n")
