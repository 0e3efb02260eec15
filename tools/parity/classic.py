"""Writes test/fixtures/classic.json: what scikit-learn's estimators learn from digits, iris, wine, breast cancer and diabetes.

Run with a recent scikit-learn: python tools/parity/classic.py. The tables are those of nabla/data, which come with the package: float32
numbers, here in float64. Everything is computed in float64, iterative estimators to the last digits they reach.
"""
import json
import pathlib
import warnings
import numpy as np
import sklearn
from sklearn import datasets
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import StratifiedKFold, KFold, cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

warnings.filterwarnings("ignore")
OUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "classic.json"


def loaded(set, scale=1.0):
    return (set.data / scale).astype(np.float32).astype(np.float64), set.target


SETS = {
    "digits": loaded(datasets.load_digits(), 16),
    "iris": loaded(datasets.load_iris()),
    "wine": loaded(datasets.load_wine()),
    "breastCancer": loaded(datasets.load_breast_cancer()),
}
DIABETES = loaded(datasets.load_diabetes(scaled=False))
DIABETES = (DIABETES[0], DIABETES[1].astype(np.float64))


def pack(value, digits=11):
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    if isinstance(value, (np.ndarray, list, tuple)):
        return [pack(v, digits) for v in value]
    if isinstance(value, (np.integer, int)):
        return int(value)
    return float(f"{float(value):.{digits}g}")


def text(labels):
    return "".join(str(int(v)) for v in labels)


def standard(x):
    return StandardScaler().fit_transform(x)


def parts(x, y):
    test = np.arange(len(x)) % 3 == 0
    return x[~test], y[~test], x[test], y[test]


def scalers():
    x, _ = SETS["wine"]
    s = StandardScaler().fit(x)
    m = MinMaxScaler((-1, 2)).fit(x)
    return {"mean": pack(s.mean_), "variance": pack(s.var_), "standard": pack(s.transform(x[:2])), "minMax": pack(m.transform(x[:2]))}


def neighbours():
    found = {}
    for name, (x, y) in SETS.items():
        a, ya, b, yb = parts(x, y)
        rows = []
        for metric in ["euclidean", "manhattan", "cosine"]:
            for k, weights in [(1, "uniform"), (5, "uniform"), (7, "distance")]:
                model = KNeighborsClassifier(k, metric=metric, weights=weights, algorithm="brute").fit(a, ya)
                distances, _ = model.kneighbors(b[:5])
                near, _ = model.kneighbors(b, k + 1)
                tied = np.flatnonzero(near[:, k] - near[:, k - 1] < 1e-12)  # which one is the k-th is anybody's choice
                rows.append({"tied": pack(tied),
                    "k": k, "distance": metric, "weights": weights, "labels": text(model.predict(b)), "score": pack(model.score(b, yb)),
                    "distances": pack(distances[:, -1]), "proba": pack(model.predict_proba(b[:5])),
                })
        found[name] = rows
    a, ya, b, yb = parts(*DIABETES)
    scaler = StandardScaler().fit(a)
    numbers = []
    for k, weights in [(3, "uniform"), (9, "distance")]:
        model = KNeighborsRegressor(k, weights=weights, algorithm="brute").fit(scaler.transform(a), ya)
        predicted = model.predict(scaler.transform(b))
        numbers.append({"k": k, "weights": weights, "predicted": pack(predicted[:20]), "score": pack(model.score(scaler.transform(b), yb))})
    return {"classes": found, "numbers": numbers}


def clusters():
    found = []
    for name, init, scaled in [("iris", [0, 50, 100], False), ("digits", list(range(10)), False), ("wine", [0, 70, 140], True), ("breastCancer", [0, 19], True)]:
        x, _ = SETS[name]
        x = standard(x) if scaled else x
        model = KMeans(len(init), init=x[init], n_init=1, algorithm="lloyd").fit(x)
        best = KMeans(len(init), n_init=20, random_state=0).fit(x)
        row = {"set": name, "init": init, "scaled": scaled, "labels": text(model.labels_), "centers": pack(model.cluster_centers_, 9),
               "inertia": pack(model.inertia_), "iterations": model.n_iter_, "best": pack(best.inertia_), "far": pack(model.transform(x[:2]))}
        found.append(row)
    return found


def components():
    x, _ = SETS["digits"]
    found = []
    for name, count, scaled, solver in [("digits", 10, False, "covariance_eigh"), ("wine", 13, True, "full"), ("iris", 2, False, "full"), ("breastCancer", 0.95, True, "full")]:
        x, _ = SETS[name]
        x = standard(x) if scaled else x
        model = PCA(count, svd_solver=solver).fit(x)
        white = PCA(count, svd_solver=solver, whiten=True).fit(x)
        found.append({
            "set": name, "components": count, "scaled": scaled, "kept": int(model.n_components_), "directions": pack(model.components_, 9),
            "variance": pack(model.explained_variance_), "ratio": pack(model.explained_variance_ratio_),
            "singular": pack(model.singular_values_), "noise": pack(model.noise_variance_), "transformed": pack(model.transform(x[:2])),
            "white": pack(white.transform(x[:2])), "back": pack(model.inverse_transform(model.transform(x[:1]))),
        })
    return found


def linear():
    x, y = DIABETES
    z = standard(x)
    model = LinearRegression().fit(x, y)
    rest = y - model.predict(x)
    found = {"linear": {"coefficients": pack(model.coef_), "intercept": pack(model.intercept_), "score": pack(model.score(x, y)),
                        "sigma": pack(np.sqrt((rest ** 2).mean()))}}
    through = LinearRegression(fit_intercept=False).fit(x, y)
    found["through"] = {"coefficients": pack(through.coef_), "score": pack(through.score(x, y))}
    found["ridge"] = [{"alpha": a, "coefficients": pack((m := Ridge(a).fit(x, y)).coef_), "intercept": pack(m.intercept_), "score": pack(m.score(x, y))} for a in [0.1, 1.0, 100.0]]
    wide = Ridge(2.0).fit(x[:6], y[:6])
    found["wide"] = {"coefficients": pack(wide.coef_), "intercept": pack(wide.intercept_)}
    few = LinearRegression().fit(x[:6], y[:6])
    found["smallest"] = {"coefficients": pack(few.coef_), "rank": int(few.rank_)}
    found["lasso"] = [{"alpha": a, "coefficients": pack((m := Lasso(a, tol=1e-12, max_iter=100000).fit(z, y)).coef_), "intercept": pack(m.intercept_), "score": pack(m.score(z, y))} for a in [0.1, 1.0, 10.0]]
    return found


def logistic():
    x, y = SETS["breastCancer"]
    z = standard(x)
    rows = []
    for c in [0.01, 1.0, 10.0]:
        m = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(z, y)
        rows.append({"penalty": "l2", "c": c, "coefficients": pack(m.coef_), "intercept": pack(m.intercept_), "score": pack(m.score(z, y)), "proba": pack(m.predict_proba(z[:2]))})
    m = LogisticRegression(penalty="l1", C=0.1, solver="saga", tol=1e-12, max_iter=200000).fit(z, y)
    rows.append({"penalty": "l1", "c": 0.1, "coefficients": pack(m.coef_), "intercept": pack(m.intercept_), "score": pack(m.score(z, y)), "proba": pack(m.predict_proba(z[:2]))})
    x, y = SETS["iris"]
    keep = y > 0
    m = LogisticRegression(penalty=None, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(x[keep], y[keep])
    none = {"coefficients": pack(m.coef_), "intercept": pack(m.intercept_), "score": pack(m.score(x[keep], y[keep]))}
    return {"breastCancer": rows, "none": none}


def softmax():
    rows = []
    for name, scaled, c, penalty in [("iris", False, 1.0, "l2"), ("wine", True, 0.1, "l2"), ("digits", False, 0.05, "l2"), ("wine", True, 0.2, "l1")]:
        x, y = SETS[name]
        x = standard(x) if scaled else x
        solver, most = ("saga", 200000) if penalty == "l1" else ("newton-cholesky", 1000)
        m = LogisticRegression(penalty=penalty, C=c, solver=solver, tol=1e-12, max_iter=most).fit(x, y)
        rows.append({"set": name, "scaled": scaled, "c": c, "penalty": penalty, "coefficients": pack(m.coef_, 9), "intercept": pack(m.intercept_ - m.intercept_.mean()),
                     "score": pack(m.score(x, y)), "proba": pack(m.predict_proba(x[:2]))})
    return rows


def machines():
    rows = []
    for name, loss, c in [("breastCancer", "squared_hinge", 0.1), ("breastCancer", "hinge", 0.1), ("wine", "squared_hinge", 1.0), ("iris", "squared_hinge", 1.0)]:
        x, y = SETS[name]
        z = standard(x)
        m = LinearSVC(loss=loss, C=c, dual=True, tol=1e-10, max_iter=5_000_000, random_state=0).fit(z, y)
        rows.append({"set": name, "loss": loss.replace("_", "-"), "c": c, "coefficients": pack(m.coef_), "intercept": pack(m.intercept_), "score": pack(m.score(z, y))})
    return rows


def bayes():
    found = {}
    for name, (x, y) in SETS.items():
        a, ya, b, yb = parts(x, y)
        m = GaussianNB().fit(a, ya)
        row = {"labels": text(m.predict(b)), "score": pack(m.score(b, yb)), "proba": pack(m.predict_proba(b[:3]))}
        if name != "digits":
            row |= {"means": pack(m.theta_), "variances": pack(m.var_)}
        found[name] = row
    return found


def trees():
    rows = []
    for name, criterion, depth, leaf, alpha in [
        ("iris", "gini", 2, 1, 0.0), ("wine", "gini", 3, 5, 0.0), ("wine", "entropy", 2, 1, 0.0), ("breastCancer", "gini", 4, 10, 0.0),
        ("breastCancer", "entropy", None, 20, 0.01), ("digits", "gini", 6, 5, 0.0), ("digits", "entropy", None, 3, 0.002),
    ]:
        x, y = SETS[name]
        a, ya, b, yb = parts(x, y)
        fits = [DecisionTreeClassifier(criterion=criterion, max_depth=depth, min_samples_leaf=leaf, ccp_alpha=alpha, random_state=s).fit(a, ya) for s in range(10)]
        scores = [f.score(b, yb) for f in fits]
        m = fits[0]
        unique = all(np.allclose(f.feature_importances_, m.feature_importances_) for f in fits)  # no feature is as good as another
        t = m.tree_
        rows.append({"set": name, "criterion": criterion, "maxDepth": depth, "minSamplesLeaf": leaf, "ccpAlpha": alpha, "impurity": pack(t.impurity[0]),
                     "leaves": int(m.get_n_leaves()), "depth": int(m.get_depth()), "importances": pack(m.feature_importances_) if unique else None, "train": pack(m.score(a, ya)), "least": pack(min(scores)), "most": pack(max(scores))})
    numbers = []
    a, ya, b, yb = parts(*DIABETES)
    for depth, leaf, alpha in [(3, 1, 0.0), (None, 15, 0.0), (None, 5, 30.0)]:
        m = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=leaf, ccp_alpha=alpha, random_state=0).fit(a, ya)
        numbers.append({"maxDepth": depth, "minSamplesLeaf": leaf, "ccpAlpha": alpha, "leaves": int(m.get_n_leaves()), "predicted": pack(m.predict(b[:20])), "score": pack(m.score(b, yb))})
    return {"classes": rows, "numbers": numbers}


def ensembles():
    found = {}
    for name in ["wine", "breastCancer"]:
        a, ya, b, yb = parts(*SETS[name])
        scores = [RandomForestClassifier(100, random_state=s).fit(a, ya).score(b, yb) for s in range(8)]
        found[name] = pack(np.mean(scores))
    a, ya, b, yb = parts(*SETS["wine"])
    voters = [("k", KNeighborsClassifier(3)), ("b", GaussianNB()), ("t", DecisionTreeClassifier(max_depth=2, min_samples_leaf=5, random_state=0))]
    votes = {v: text(VotingClassifier(voters, voting=v, weights=[1, 2, 1.5]).fit(a, ya).predict(b)) for v in ["hard", "soft"]}
    return {"forest": found, "votes": votes}


def validation():
    x, y = SETS["iris"]
    d, t = DIABETES
    return {
        "iris": pack(cross_val_score(KNeighborsClassifier(5, algorithm="brute"), x, y, cv=StratifiedKFold(5))),
        "diabetes": pack(cross_val_score(Ridge(1.0), d, t, cv=KFold(4))),
    }


if __name__ == "__main__":
    document = {
        "note": f"made by tools/parity/classic.py with scikit-learn {sklearn.__version__}",
        "scalers": scalers(), "neighbours": neighbours(), "clusters": clusters(), "components": components(), "linear": linear(),
        "logistic": logistic(), "softmax": softmax(), "machines": machines(), "bayes": bayes(), "trees": trees(), "ensembles": ensembles(),
        "validation": validation(),
    }
    OUT.write_text(json.dumps(document, separators=(",", ":")) + "\n")
    OUT.chmod(0o644)
    print(OUT.stat().st_size)
