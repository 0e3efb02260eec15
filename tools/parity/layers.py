"""Writes test/fixtures/layers-*.json: what PyTorch computes for nabla's layers, forward and backward, in float64.

Run with any recent PyTorch: python tools/parity/layers.py [group ...]. Inputs and parameters are float32 numbers, so that
every device starts from the same; results are written with 12 digits.
"""
import json
import pathlib
import sys
import torch
from torch import nn
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
ROOT = pathlib.Path(__file__).resolve().parents[2] / "test" / "fixtures"
INTEGERS = (torch.int64, torch.int32)


def pack(t):
    if t is None:
        return None
    t = t.detach()
    dtype = "int32" if t.dtype in INTEGERS else "bool" if t.dtype == torch.bool else "float32"
    data = t.flatten().tolist()
    return {"shape": list(t.shape), "dtype": dtype,
            "data": [shortest(v) for v in data] if dtype == "float32" else [int(v) for v in data]}


def shortest(v):
    for digits in (6, 9, 12):
        text = f"{v:.{digits}g}"
        if float(text) == v:
            break
    number = float(text)
    return int(number) if number == int(number) and abs(number) < 1e9 else number


def rand(*shape):
    return torch.randn(*shape).float().double()


def snap(module):
    """Random float32 parameters: defaults such as ones and zeros would hide mistakes."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_((p + 0.2 * torch.randn_like(p)).float().double())
    return module


def leaves(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for v in value if v is not None for t in leaves(v)]


def case(name, module, *inputs, call=None, steps=1, train=True):
    """Forward and backward with a fixed weighting of the outputs, `steps` times without changing parameters."""
    snap(module).train(train)
    before = {k: pack(v) for k, v in module.state_dict().items()}
    for _ in range(steps):
        module.zero_grad()
        xs = [x.detach().clone().requires_grad_() if x.dtype == torch.float64 else x for x in inputs]
        outputs = leaves((call or (lambda m, *v: m(*v)))(module, *xs))
        total = sum((y * torch.cos(torch.arange(y.numel(), dtype=torch.float64)).reshape(y.shape)).sum() for y in outputs if y.requires_grad)
        total.backward()
    after = {k: pack(v) for k, v in module.state_dict().items()}
    return {"name": name, "train": train, "steps": steps, "inputs": [pack(x) for x in xs], "before": before,
            "outputs": [pack(y) for y in outputs], "gradInputs": [pack(x.grad) for x in xs],
            "grads": {k: pack(p.grad) for k, p in module.named_parameters() if p.grad is not None},
            "after": {k: v for k, v in after.items() if v != before[k]}}


def masked(m, x, lengths, *states, batch_first=False):
    total = x.shape[1 if batch_first else 0]
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=batch_first, enforce_sorted=False)
    y, h = m(packed, *([tuple(states)] if len(states) > 1 else states))
    return nn.utils.rnn.pad_packed_sequence(y, batch_first=batch_first, total_length=total)[0], h


def recurrent():
    x, states = rand(4, 2, 3), lambda n, h=2: (rand(n, 2, h), rand(n, 2, h))
    lengths = torch.tensor([4, 2])
    pair = lambda m, x, h, c: m(x, (h, c))
    return [
        case("RNN", nn.RNN(3, 2), x),
        case("RNN relu, initial state", nn.RNN(3, 2, nonlinearity="relu"), x, rand(1, 2, 2)),
        case("RNN without bias, unbatched", nn.RNN(3, 2, bias=False), rand(3, 3)),
        case("GRU", nn.GRU(3, 2), x),
        case("GRU two layers, both directions, batch first", nn.GRU(3, 2, 2, bidirectional=True, batch_first=True), x, rand(4, 4, 2)),
        case("GRU without bias", nn.GRU(3, 2, bias=False), x),
        case("GRU lengths", nn.GRU(3, 2, bidirectional=True), x, lengths, rand(2, 2, 2), call=masked),
        case("LSTM", nn.LSTM(3, 2), x),
        case("LSTM initial states", nn.LSTM(3, 2), x, *states(1), call=pair),
        case("LSTM two layers, both directions, batch first", nn.LSTM(3, 2, 2, bidirectional=True, batch_first=True), rand(2, 3, 3), *states(4), call=pair),
        case("LSTM dropout in evaluation", nn.LSTM(3, 2, 3, dropout=0.5), x, train=False),
        case("LSTM without bias, unbatched, initial states", nn.LSTM(3, 2, bias=False), rand(3, 3), rand(1, 2), rand(1, 2), call=pair),
        case("LSTM lengths", nn.LSTM(3, 2, 2, bidirectional=True), x, lengths, *states(4), call=masked),
        case("LSTM lengths, batch first", nn.LSTM(3, 2, batch_first=True), rand(2, 4, 3), lengths, *states(1),
             call=lambda *a: masked(*a, batch_first=True)),
        case("LSTM one step", nn.LSTM(3, 2), rand(1, 2, 3)),
        case("RNNCell", nn.RNNCell(3, 2), rand(4, 3), rand(4, 2)),
        case("RNNCell relu without bias or state", nn.RNNCell(3, 2, bias=False, nonlinearity="relu"), rand(4, 3)),
        case("GRUCell", nn.GRUCell(3, 2), rand(4, 3), rand(4, 2)),
        case("GRUCell unbatched", nn.GRUCell(3, 2), rand(3)),
        case("LSTMCell", nn.LSTMCell(3, 2), rand(4, 3), rand(4, 2), rand(4, 2), call=pair),
        case("LSTMCell without bias or state", nn.LSTMCell(3, 2, bias=False), rand(4, 3)),
    ]


class Attention(nn.Module):
    def forward(self, q, k, v, mask=None, **options):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, **options)


def attention():
    x, kv = rand(3, 2, 4), rand(5, 2, 4)
    MHA = nn.MultiheadAttention
    causal = torch.ones(3, 3).triu(1).bool()
    padding = torch.tensor([[False] * 5, [False, False, True, False, True]])
    sdpa = lambda **o: lambda m, *a: m(*a, **o)
    qkv = rand(2, 2, 3, 4), rand(2, 2, 5, 4), rand(2, 2, 5, 3)
    self_attention = lambda **o: lambda m, x: m(x, x, x, **o)
    return [
        case("attention", Attention(), *qkv),
        case("attention with a bool mask", Attention(), *qkv, torch.rand(3, 5) < 0.7),
        case("attention with an added mask", Attention(), *qkv, rand(2, 1, 3, 5)),
        case("attention, causal, scale", Attention(), *qkv, call=sdpa(is_causal=True, scale=0.7)),
        case("MultiheadAttention", MHA(4, 2), x, call=self_attention()),
        case("MultiheadAttention across", MHA(4, 2), x, kv, kv.clone()),
        case("MultiheadAttention causal", MHA(4, 2), x, call=self_attention(attn_mask=causal, is_causal=True)),
        case("MultiheadAttention masks", MHA(4, 2, batch_first=True), rand(2, 3, 4), rand(2, 5, 4), padding, rand(3, 5),
             call=lambda m, q, k, p, a: m(q, k, k, key_padding_mask=torch.zeros(2, 5).masked_fill(p, -torch.inf), attn_mask=a)),
        case("MultiheadAttention bool masks", MHA(4, 2), x, kv, padding, torch.tensor([[False] * 5, [True] * 2 + [False] * 3, [False] * 5]),
             call=lambda m, q, k, p, a: m(q, k, k, key_padding_mask=p, attn_mask=a)),
        case("MultiheadAttention mask for each head", MHA(4, 2), x, kv, rand(4, 3, 5), call=lambda m, q, k, a: m(q, k, k, attn_mask=a)),
        case("MultiheadAttention kdim, vdim, no bias", MHA(4, 2, kdim=3, vdim=5, bias=False), x, rand(5, 2, 3), rand(5, 2, 5)),
        case("MultiheadAttention unbatched, weights of each head", MHA(4, 2), rand(3, 4), call=self_attention(average_attn_weights=False)),
        case("MultiheadAttention without weights", MHA(4, 4, dropout=0.5), x, call=lambda m, x: m(x, x, x, need_weights=False)[0], train=False),
    ]


GROUPS = {"recurrent": recurrent, "attention": attention}

if __name__ == "__main__":
    for group in sys.argv[1:] or GROUPS:
        torch.manual_seed(sum(map(ord, group)))
        note = f"made by tools/parity/layers.py with PyTorch {torch.__version__.split('+')[0]}"
        text = json.dumps({"note": note, "cases": GROUPS[group]()}, separators=(",", ":"))
        (ROOT / f"layers-{group}.json").write_text(text + "\n")
