"""Writes test/fixtures/function-transforms.json: what PyTorch gives for functions of functions (torch.func), attention with grouped and added keys,
and tables of embeddings, with their gradients (checksums.py says how). Run with any recent PyTorch: python tools/parity/function_transforms.py
"""
import torch
import torch.nn.functional as F
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap
from checksums import case, save_rows, text

# ---------------------------------------------------------------- gradients of each sample


def mlp(p, x):
    w1, b1, w2 = p
    return torch.tanh(x @ w1.T + b1) @ w2.T


def squared(p, x, y):
    return ((mlp(p, x) - y) ** 2).mean()


MLP = [text("f", (3, 4)), text("f", (3,)), text("f", (2, 3))]
BATCH = [text("f", (5, 4)), text("f", (5, 2))]


def per_sample(w1, b1, w2, x, y):
    return vmap(grad(squared), in_dims=(None, 0, 0))((w1, b1, w2), x, y)


def convolved(p, x):
    w, b = p
    return F.adaptive_avg_pool2d(torch.relu(F.conv2d(x[None], w, b, padding=1)), 1).square().sum()


def per_image(w, b, x):
    return vmap(grad(convolved), in_dims=(None, 0))((w, b), x)


def classified(table, w, x, y):
    """Embedding, layer norm, cross-entropy."""
    h = F.layer_norm(F.embedding(x, table).mean(0), (4,))
    return F.cross_entropy((h @ w.T)[None], y[None])


def per_text(table, w, x, y):
    return vmap(grad(classified, argnums=(0, 1)), in_dims=(None, None, 0, 0))(table, w, x, y)


def attended(q, k, v):
    scores = (q @ k.mT / 3**0.5).masked_fill(torch.ones(4, 4).triu(1).bool(), -torch.inf)
    return (scores.softmax(-1) @ v).square().sum()


case("perSample", MLP + BATCH, [], per_sample)
case("perImage", [text("f", (3, 2, 3, 3)), text("f", (3,)), text("f", (4, 2, 5, 5))], [], per_image)
case("perText", [text("f", (6, 4)), text("f", (3, 4)), text("n6", (5, 3)), text("n3", (5,))], [], per_text)
case("perSequence", [text("f", (3, 2, 4, 3))] * 3, [], lambda q, k, v: vmap(grad(attended, argnums=(0, 1, 2)))(q, k, v))
case("ensemble", [text("f", (3, 2, 4)), text("f", (3, 2)), text("f", (5, 4))], [], lambda w, b, x: vmap(F.linear, in_dims=(None, 0, 0))(x, w, b))
for i, o in [(0, 0), (1, 0), (1, 2), (-1, -1), (2, 1)]:
    case("dims", [text("f", (3, 3, 3)), text("f", (3, 3))], [i, o], lambda x, w, i, o: vmap(lambda v: torch.linalg.vecdot(v, w)[None] * v, in_dims=i, out_dims=o)(x))
case("nested", [text("f", (4, 3)), text("f", (5, 3))], [], lambda a, b: vmap(lambda u: vmap(lambda v: (u - v).abs().sum())(b))(a))

# ---------------------------------------------------------------- derivatives of functions


def field(x):
    return torch.stack([x[0] * x[1], torch.sin(x[2]), x.prod(), (x**2).sum()])


def bowl(x):
    return (x**3).sum() * x.sin().sum()


X = text("f", (3,))
case("jacrev", [X], [], lambda x: jacrev(field)(x))
case("jacfwd", [X], [], lambda x: jacfwd(field)(x))
case("jacobiansOfBoth", [text("f", (2, 3)), text("f", (3, 2))], [], lambda a, b: jacrev(lambda u, v: torch.tanh(u @ v), argnums=(0, 1))(a, b))
case("hessian", [X], [], lambda x: hessian(bowl)(x))
case("hvp", [X, X], [], lambda x, v: jvp(grad(bowl), (x,), (v,))[1])
case("jvp", [X, X], [], lambda x, v: jvp(field, (x,), (v,)))
case("vjp", [X, text("f", (4,))], [], lambda x, v: vjp(field, x)[1](v))
case("hessians", [text("f", (4, 3))], [], lambda x: vmap(hessian(bowl))(x))
case("thirdDerivatives", [X], [], lambda x: jacrev(jacfwd(jacrev(bowl)))(x))

# ---------------------------------------------------------------- attention

for heads, kept in [(4, 2), (4, 1), (4, 4), (4, 3)]:
    qkv = [text("f", (2, heads, 3, 4)), text("f", (2, kept, 5, 4)), text("f", (2, kept, 5, 2))]
    for causal in (False, True):
        case("grouped", qkv, [causal], lambda q, k, v, c: F.scaled_dot_product_attention(q, k, v, is_causal=c, enable_gqa=True))
    case("groupedMasked", [*qkv, text("f", (3, 5))], [], lambda q, k, v, m: F.scaled_dot_product_attention(q, k, v, m, enable_gqa=True))
for length, keys in [(3, 5), (5, 3)]:
    case("causal", [text("f", (2, length, 4)), text("f", (2, keys, 4)), text("f", (2, keys, 3))], [], lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True))


def multihead(q, w, b, o, kv, padding, zero, bias, mask):
    """One layer, its parameters given by name; key and value are one tensor."""
    w, b = w / 4, b / 4
    layer = torch.nn.MultiheadAttention(4, 2, add_zero_attn=zero, add_bias_kv=bias, batch_first=True)
    state = {"in_proj_weight": w, "in_proj_bias": b, "out_proj.weight": o, "out_proj.bias": b[:4]}
    if bias:
        state |= {"bias_k": b[None, None, :4], "bias_v": b[None, None, 4:8]}
    causal = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1) if mask == "bool" else None
    if mask == "float":
        causal = torch.full((3, 3), -torch.inf).triu(1).double()
    padded = padding if mask == "padding" else None
    return functional_call(layer, state, (q, kv, kv), {"attn_mask": causal, "key_padding_mask": padded})


for zero, bias in [(False, False), (True, False), (False, True), (True, True)]:
    for mask in ("", "bool", "float", "padding"):
        case("multihead", [text("f", (2, 3, 4)), text("f", (12, 4)), text("f", (12,)), text("f", (4, 4)), text("f", (2, 3, 4)), text("b", (2, 3))], [zero, bias, mask], multihead)

# ---------------------------------------------------------------- tables

for padding in (None, 2):
    for frequency in (False, True):
        case("embedding", [text("f", (5, 3)), text("n5", (4, 3))], [padding, frequency], lambda w, x, p, f: F.embedding(x, w, padding_idx=p, scale_grad_by_freq=f))
for norm, p in [(1.5, 2.0), (2.0, 1.0), (0.5, float("inf"))]:
    case("renormalised", [text("f", (5, 3)), text("n5", (4,))], [norm, "inf" if p == float("inf") else p], lambda w, x, n, p: F.embedding(x, w.detach().clone(), max_norm=n, norm_type=float(p)))


def bags(w, x, mode, offsets, last, padding):
    at = None if offsets is None else torch.tensor(offsets)
    return F.embedding_bag(x, w, at, mode=mode, include_last_offset=last, padding_idx=padding)


for mode in ("sum", "mean", "max"):
    for padding in (None, 1):
        case("bags", [text("f", (5, 3)), text("n5", (4, 2))], [mode, None, False, padding], bags)
        for offsets in ([0, 2, 5], [0, 3, 3, 6], [0, 7]):
            case("bags", [text("f", (5, 3)), text("n5", (7,))], [mode, offsets, False, padding], bags)
        case("bags", [text("f", (5, 3)), text("n5", (7,))], [mode, [0, 2, 7], True, padding], bags)
case("weightedBags", [text("f", (5, 3)), text("n5", (4, 2)), text("f", (4, 2))], [], lambda w, x, s: F.embedding_bag(x, w, mode="sum", per_sample_weights=s))

save_rows("function_transforms.py", "function-transforms")
