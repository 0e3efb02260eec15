"""Writes test/fixtures/metrics.json: what scikit-learn and sacrebleu compute, for nabla's metrics.

Run with recent versions of both: python tools/parity/metrics.py. Scores are float32 numbers of few digits without ties, so
that everybody sees the same order.
"""
import json
import pathlib
import numpy as np
import sacrebleu
import sklearn
from sklearn import metrics as m

OUT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures" / "metrics.json"
rng = np.random.default_rng(7)


def scores(*shape):
    """float32 numbers of three digits, all different."""
    n = int(np.prod(shape))
    values = rng.choice(np.arange(-4000, 4000), n, replace=False) / 1000
    return values.astype(np.float32).astype(np.float64).reshape(shape)


def pack(array):
    return {"shape": list(array.shape), "data": [round(float(v), 6) for v in array.flatten()]}


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def averages(y, p, kinds):
    result = {}
    for average in kinds:
        args = {"average": average, "zero_division": 0}
        result[average] = {
            "precision": m.precision_score(y, p, **args), "recall": m.recall_score(y, p, **args),
            "f1": m.f1_score(y, p, **args), "f2": m.fbeta_score(y, p, beta=2, **args),
            "f0.5": m.fbeta_score(y, p, beta=0.5, **args), "iou": m.jaccard_score(y, p, **args),
        }
    return result


def agreement(y, p):
    return {"accuracy": m.accuracy_score(y, p), "kappa": m.cohen_kappa_score(y, p), "mcc": m.matthews_corrcoef(y, p)}


def ece(probabilities, y, bins):
    confidence, predicted = probabilities.max(1), probabilities.argmax(1)
    edges = np.linspace(0, 1, bins + 1)
    total = 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += inside.mean() * abs((predicted[inside] == y[inside]).mean() - confidence[inside].mean())
    return total


def multiclass():
    """Six classes, of which 4 has no label and 5 neither label nor prediction."""
    n, c = 90, 6
    x = scores(n, c)
    y = rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])
    x[np.arange(n), y] += rng.random(n).round(3) * 3
    x[:, 5] -= 20
    x = x.astype(np.float32).astype(np.float64)
    p, prob = x.argmax(1), softmax(x)
    present = sorted(set(y))
    onehot = np.eye(c)[y]
    nll = -np.log(prob[np.arange(n), y])
    return {
        "scores": pack(x), "labels": y.tolist(), **agreement(y, p), "averages": averages(y, p, ["micro", "macro", "weighted"]),
        "perClassF1": m.f1_score(y, p, average=None, labels=range(c), zero_division=0).tolist(),
        "foreground": m.f1_score(y, p, average="macro", labels=[1, 2, 3], zero_division=0),
        "confusion": m.confusion_matrix(y, p, labels=range(c)).tolist(),
        "confusionTrue": m.confusion_matrix(y, p, labels=range(c), normalize="true").tolist(),
        "topk": {str(k): m.top_k_accuracy_score(y, x, k=k, labels=range(c)) for k in (1, 2, 3)},
        "perplexity": float(np.exp(nll.mean())), "ece": {str(b): ece(prob, y, b) for b in (10, 15)},
        "auroc": [float(m.roc_auc_score(onehot[:, k], prob[:, k])) for k in present],
        "averagePrecision": [float(m.average_precision_score(onehot[:, k], prob[:, k])) for k in present],
        "weights": [int((y == k).sum()) for k in present],
    }


def binary():
    n = 80
    x = scores(n)
    y = (x + 2 * rng.standard_normal(n) > 0.8).astype(int)
    x[:20] = x[:20].round(0)  # ties
    p = (x > 0).astype(int)
    return {
        "scores": pack(x), "labels": y.tolist(), **agreement(y, p), "averages": averages(y, p, ["binary", "macro", "micro", "weighted"]),
        "auroc": m.roc_auc_score(y, x), "averagePrecision": m.average_precision_score(y, x),
    }


def multilabel():
    x = scores(40, 4)
    y = (x + 2 * rng.standard_normal(x.shape) > 1).astype(int)
    p = (x > 0).astype(int)
    return {"scores": pack(x), "labels": y.flatten().tolist(), "averages": averages(y, p, ["macro", "micro", "weighted"]),
            "accuracy": m.accuracy_score(y.flatten(), p.flatten())}


def regression():
    x, y = scores(50, 2), scores(50, 2)
    x = (0.7 * y + 0.3 * x + 1).astype(np.float32).astype(np.float64)
    return {"output": pack(x), "target": pack(y), "mae": m.mean_absolute_error(y, x), "mse": m.mean_squared_error(y, x),
            "rmse": m.root_mean_squared_error(y.flatten(), x.flatten()), "r2": m.r2_score(y, x)}


SENTENCES = [
    ("The dog bit the man.", ["The dog bit the man.", "The dog had bit the man."]),
    ("It wasn't surprising, at 3.5% (or 1,000-odd).", ["It was not unexpected: 3.5 % or 1,000 odd.", "No one was surprised."]),
    ("The man bit him first & \"won\" &quot;it&quot; &lt;all&gt;", ["The man had bitten the dog.", "The man bit \"it\" <all> first &amp; won"]),
    ("a b  c\td e-5 5-e f/g h@i.com <skipped>x", ["a b c d e - 5 5 - e f / g h@i.com x", "none"]),
    ("Größe und Straße, naïve café — 2–3 Stück…", ["Größe und Strasse, naive Café – 2–3 Stück …", "Die Größe"]),
    ("short", ["short", "short one"]), ("", ["an empty one", "x"]),
    ("two words\n", ["two words", "other words"]),
]
APART = [("entirely different words are here", ["nothing matches whatsoever in that"])]
SOME = [("the cat sat here today", ["the cat was there"]), ("one two", ["two one"])]


def bleu():
    cases = []
    sets = {"many": SENTENCES, "apart": APART, "some": SOME, "one": SENTENCES[:1]}
    options = [{}, {"lowercase": True}, {"tokenize": "none"}, {"tokenize": "char"}, {"smooth_method": "none"},
               {"smooth_method": "floor"}, {"smooth_method": "floor", "smooth_value": 0.5}, {"smooth_method": "add-k"},
               {"smooth_method": "add-k", "smooth_value": 2}, {"max_ngram_order": 2}, {"effective_order": True}]
    for name, pairs in sets.items():
        count = min(len(r) for _, r in pairs)
        streams = [[r[i] for _, r in pairs] for i in range(count)]
        for option in options:
            scorer = sacrebleu.metrics.BLEU(**option)
            s = scorer.corpus_score([h for h, _ in pairs], streams)
            cases.append({"set": name, "options": option, "score": s.score, "precisions": s.precisions, "bp": s.bp,
                          "length": s.sys_len, "referenceLength": s.ref_len})
    return {"sets": {k: [{"candidate": h, "references": r[: min(len(r) for _, r in v)]} for h, r in v] for k, v in sets.items()},
            "cases": cases}


data = {"note": f"made by tools/parity/metrics.py with scikit-learn {sklearn.__version__}, sacrebleu {sacrebleu.__version__}",
        "multiclass": multiclass(), "binary": binary(), "multilabel": multilabel(), "regression": regression(), "bleu": bleu()}
OUT.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n")
print(OUT, OUT.stat().st_size)
