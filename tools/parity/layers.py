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


def convolution():
    separable = nn.Sequential()
    separable.add_module("depthwise", nn.Conv2d(3, 3, 3, padding=1, stride=2, groups=3))
    separable.add_module("pointwise", nn.Conv2d(3, 4, 1))
    return [
        case("Conv1d", nn.Conv1d(2, 3, 3), rand(2, 2, 7)),
        case("Conv1d stride, padding, dilation, groups", nn.Conv1d(4, 6, 3, stride=2, padding=3, dilation=2, groups=2, bias=False), rand(2, 4, 9)),
        case("Conv1d same, unbatched", nn.Conv1d(2, 2, 4, padding="same"), rand(2, 5)),
        case("Conv2d depthwise", nn.Conv2d(3, 6, 3, padding=1, groups=3), rand(2, 3, 4, 5)),
        case("Conv2d valid", nn.Conv2d(2, 2, (1, 3), padding="valid"), rand(1, 2, 3, 4)),
        case("ConvTranspose1d", nn.ConvTranspose1d(2, 3, 3), rand(2, 2, 5)),
        case("ConvTranspose1d stride, padding, output padding", nn.ConvTranspose1d(4, 2, 4, stride=3, padding=1, output_padding=2, groups=2), rand(2, 4, 4)),
        case("ConvTranspose2d", nn.ConvTranspose2d(2, 3, 3), rand(2, 2, 4, 3)),
        case("ConvTranspose2d up", nn.ConvTranspose2d(3, 2, 2, stride=2), rand(2, 3, 3, 4)),
        case("ConvTranspose2d everything", nn.ConvTranspose2d(4, 6, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), dilation=(2, 1), groups=2, bias=False), rand(2, 4, 3, 2)),
        case("ConvTranspose2d unbatched", nn.ConvTranspose2d(2, 2, 3, padding=1), rand(2, 3, 3)),
        case("DepthwiseSeparableConv2d", separable, rand(2, 3, 5, 5)),
    ]


def unpooled(pool, unpool, *size):
    return lambda _, x: unpool(*pool(x), *size)


def pooling():
    N = nn.Identity
    pool = lambda **o: nn.MaxPool2d(return_indices=True, **o)
    ties = torch.tensor([[[[1.0, 1.0, 0.0], [1.0, 1.0, 2.0], [0.0, 2.0, 2.0]]]])
    return [
        case("MaxPool1d", nn.MaxPool1d(2), rand(2, 2, 5)),
        case("MaxPool1d stride, padding, dilation", nn.MaxPool1d(3, stride=2, padding=1, dilation=2), rand(2, 2, 8)),
        case("MaxPool2d dilation, ceil mode", nn.MaxPool2d((2, 3), stride=2, padding=(0, 1), dilation=(2, 1), ceil_mode=True), rand(2, 2, 6, 6)),
        case("MaxPool2d ceil mode, unbatched", nn.MaxPool2d(2, ceil_mode=True), rand(2, 3, 5)),
        case("MaxPool2d ceil mode that would begin in the padding", nn.MaxPool2d(2, stride=2, padding=1, ceil_mode=True), rand(1, 1, 3, 4)),
        case("MaxPool2d ties", nn.MaxPool2d(2, stride=1), ties),
        case("AvgPool1d", nn.AvgPool1d(2, stride=3, padding=1), rand(2, 2, 6)),
        case("AvgPool1d ceil mode", nn.AvgPool1d(3, stride=2, padding=1, ceil_mode=True), rand(2, 2, 6)),
        case("AvgPool2d without padding in the count", nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False), rand(1, 2, 5, 6)),
        case("AvgPool2d ceil mode", nn.AvgPool2d((2, 3), stride=(2, 2), padding=(1, 1), ceil_mode=True), rand(1, 2, 5, 6)),
        case("AvgPool2d ceil mode without padding in the count", nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), rand(1, 2, 6, 6)),
        case("AdaptiveAvgPool1d", nn.AdaptiveAvgPool1d(3), rand(2, 2, 7)),
        case("AdaptiveAvgPool1d larger than the input", nn.AdaptiveAvgPool1d(5), rand(2, 2, 3)),
        case("AdaptiveMaxPool1d", nn.AdaptiveMaxPool1d(3), rand(2, 2, 7)),
        case("AdaptiveMaxPool2d", nn.AdaptiveMaxPool2d((2, 3)), rand(2, 2, 5, 7)),
        case("AdaptiveMaxPool2d divides", nn.AdaptiveMaxPool2d(2), rand(1, 2, 4, 6)),
        case("AdaptiveMaxPool2d ties", nn.AdaptiveMaxPool2d(2), ties),
        case("MaxUnpool1d", N(), rand(2, 2, 6), call=unpooled(nn.MaxPool1d(2, return_indices=True), nn.MaxUnpool1d(2))),
        case("MaxUnpool2d", N(), rand(2, 2, 4, 6), call=unpooled(pool(kernel_size=2), nn.MaxUnpool2d(2))),
        case("MaxUnpool2d output size", N(), rand(2, 2, 5, 5), call=unpooled(pool(kernel_size=2), nn.MaxUnpool2d(2), torch.Size((5, 5)))),
        case("MaxUnpool2d stride, padding", N(), rand(1, 2, 6, 6), call=unpooled(pool(kernel_size=(3, 2), stride=(3, 2), padding=(1, 0)), nn.MaxUnpool2d((3, 2), stride=(3, 2), padding=(1, 0)), torch.Size((6, 6)))),
        case("MaxUnpool2d unbatched", N(), rand(2, 4, 4), call=unpooled(pool(kernel_size=2), nn.MaxUnpool2d(2))),
    ]


def resampling():
    x, line = rand(1, 2, 3, 4), rand(2, 2, 5)
    Up = nn.Upsample
    return [
        case("nearest", Up(scale_factor=2), x),
        case("nearest fraction", Up(scale_factor=1.7), x),
        case("nearest size", Up(size=(5, 3)), x),
        case("nearest 1d", Up(scale_factor=3), line),
        case("linear", Up(scale_factor=2, mode="linear"), line),
        case("linear aligned", Up(size=8, mode="linear", align_corners=True), line),
        case("bilinear", Up(scale_factor=2, mode="bilinear"), x),
        case("bilinear aligned", Up(scale_factor=(2, 3), mode="bilinear", align_corners=True), x),
        case("bilinear size", Up(size=(5, 7), mode="bilinear"), x),
        case("bilinear fraction", Up(scale_factor=1.5, mode="bilinear"), x),
        case("bilinear down", Up(size=(2, 1), mode="bilinear", align_corners=True), x),
        case("bicubic", Up(scale_factor=2, mode="bicubic"), x),
        case("bicubic aligned", Up(size=(6, 5), mode="bicubic", align_corners=True), x),
        case("bicubic fraction", Up(scale_factor=2.3, mode="bicubic"), x),
        case("PixelShuffle", nn.PixelShuffle(2), rand(2, 8, 2, 3)),
        case("PixelShuffle unbatched", nn.PixelShuffle(3), rand(9, 2, 1)),
        case("PixelUnshuffle", nn.PixelUnshuffle(2), rand(2, 2, 4, 6)),
        case("Unflatten", nn.Unflatten(1, (2, 3)), rand(2, 6, 2)),
    ]


class Parallel(nn.Sequential):
    def forward(self, x):
        return torch.cat([branch(x) for branch in self], 1)


class Residual(nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body, self.shortcut = nn.Sequential(*body), shortcut

    def forward(self, x):
        return self.body(x) + (x if self.shortcut is None else self.shortcut(x))


def transformer():
    Encoder, Decoder = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
    small = {"dim_feedforward": 3, "dropout": 0.0}
    x, memory = rand(3, 2, 4), rand(5, 2, 4)
    causal = torch.ones(3, 3).triu(1).bool()
    padding = torch.tensor([[False, False, False], [False, True, True]])
    memory_padding = torch.tensor([[False] * 5, [False, False, True, False, True]])
    whole = nn.Transformer(4, 2, 1, 1, **small)
    return [
        case("encoder layer", Encoder(4, 2, **small), x),
        case("encoder layer gelu, norm first, batch first, no bias", Encoder(4, 2, activation="gelu", norm_first=True, batch_first=True, bias=False, layer_norm_eps=1e-3, **small), rand(2, 3, 4)),
        case("encoder layer masks", Encoder(4, 2, **small), x, padding, call=lambda m, x, p: m(x, src_mask=causal, src_key_padding_mask=p)),
        case("encoder layer in evaluation", Encoder(4, 2, 3, 0.5), x, train=False),
        case("decoder layer", Decoder(4, 2, **small), x, memory),
        case("decoder layer norm first, masks", Decoder(4, 2, norm_first=True, **small), x, memory, memory_padding,
             call=lambda m, x, y, p: m(x, y, tgt_mask=causal, memory_key_padding_mask=p)),
        case("encoder", nn.TransformerEncoder(Encoder(4, 2, **small), 2, nn.LayerNorm(4), enable_nested_tensor=False), x),
        case("decoder", nn.TransformerDecoder(Decoder(4, 2, **small), 2), x, memory),
        case("Transformer", whole, memory, x, call=lambda m, s, t: m(s, t, tgt_mask=causal)),
        case("Residual", Residual([nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 4)]), rand(2, 4)),
        case("Residual with a shortcut", Residual([nn.Conv2d(2, 3, 3, stride=2, padding=1)], nn.Conv2d(2, 3, 1, stride=2)), rand(2, 2, 4, 4)),
        case("Parallel", Parallel(nn.Conv2d(2, 3, 1), nn.Conv2d(2, 2, 3, padding=1), nn.MaxPool2d(3, stride=1, padding=1)), rand(1, 2, 3, 3)),
    ]


class Hardsigmoid(nn.Module):
    """nn.Hardsigmoid, whose own backward multiplies by a float32 sixth even in float64."""

    def forward(self, x):
        return F.hardtanh(x + 3, 0, 6) / 6


class Maxout(nn.Module):
    def __init__(self, inputs, outputs, pieces):
        super().__init__()
        self.linear, self.sizes = nn.Linear(inputs, outputs * pieces), (outputs, pieces)

    def forward(self, x):
        return self.linear(x).unflatten(-1, self.sizes).max(-1).values


def activation():
    # every kink, and numbers far out
    kinks = torch.tensor([0, 0.5, 1, 3, 6, 2, 0.25, 25, 90]).double()
    x = torch.cat([kinks, -kinks, rand(6)]).reshape(4, 6)
    plain = ["ReLU", "Tanh", "Sigmoid", "GELU", "SELU", "SiLU", "Mish", "LogSigmoid", "Softsign", "Tanhshrink", "ReLU6",
             "Hardswish", "LeakyReLU", "ELU", "CELU", "Hardtanh", "Hardshrink", "Softshrink", "Softplus"]
    return [case(name, getattr(nn, name)(), x) for name in plain] + [
        case("Identity", nn.Identity(), x),
        case("Hardsigmoid", Hardsigmoid(), x),
        case("GELU tanh", nn.GELU("tanh"), x),
        case("LeakyReLU 0.3", nn.LeakyReLU(0.3), x),
        case("ELU 0.5", nn.ELU(0.5), x),
        case("CELU 2", nn.CELU(2.0), x),
        case("Hardtanh -2 3", nn.Hardtanh(-2, 3), x),
        case("Hardshrink 1", nn.Hardshrink(1), x),
        case("Softshrink 0.25", nn.Softshrink(0.25), x),
        case("Threshold", nn.Threshold(0.5, -7), x),
        case("Softplus 2 5", nn.Softplus(2, 5), x),
        case("RReLU in evaluation", nn.RReLU(), x, train=False),
        case("RReLU 0.1 0.4 in evaluation", nn.RReLU(0.1, 0.4), x, train=False),
        case("PReLU", nn.PReLU(), x),
        case("PReLU for each channel", nn.PReLU(3), rand(2, 3, 4)),
        case("PReLU for each channel, images", nn.PReLU(2), rand(2, 2, 2, 3)),
        case("Softmax", nn.Softmax(-1), x),
        case("Softmax of channels", nn.Softmax(1), rand(2, 3, 4)),
        case("LogSoftmax", nn.LogSoftmax(-1), x),
        case("LogSoftmax of rows", nn.LogSoftmax(0), rand(3, 4)),
        case("Softmin", nn.Softmin(-1), x),
        case("GLU", nn.GLU(), x),
        case("GLU of channels", nn.GLU(1), rand(2, 4, 3)),
        case("Maxout", Maxout(4, 3, 2), rand(5, 4)),
        case("Maxout of three", Maxout(3, 2, 3), rand(2, 2, 3)),
    ]


def norm():
    rows, line, image = rand(5, 3), rand(3, 3, 4), rand(2, 4, 2, 3)
    both = lambda name, make, *xs, **o: [case(name, make(), *xs, steps=2, **o), case(name + " in evaluation", make(), *xs, train=False, **o)]
    return [
        *both("BatchNorm1d of rows", lambda: nn.BatchNorm1d(3), rows),
        *both("BatchNorm1d", lambda: nn.BatchNorm1d(3, eps=1e-3, momentum=0.3), line),
        *both("BatchNorm1d without affine", lambda: nn.BatchNorm1d(3, affine=False), line),
        *both("BatchNorm2d", lambda: nn.BatchNorm2d(4), image),
        *both("BatchNorm2d plain average", lambda: nn.BatchNorm2d(4, momentum=None), image),
        *both("BatchNorm2d without running statistics", lambda: nn.BatchNorm2d(4, track_running_stats=False), image),
        *both("InstanceNorm1d", lambda: nn.InstanceNorm1d(3), line),
        *both("InstanceNorm1d affine, unbatched", lambda: nn.InstanceNorm1d(3, affine=True), rand(3, 5)),
        *both("InstanceNorm2d", lambda: nn.InstanceNorm2d(4, eps=1e-3), image),
        *both("InstanceNorm2d running statistics", lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True, momentum=0.2), image),
        case("LayerNorm", nn.LayerNorm(4), rand(3, 4)),
        case("LayerNorm without bias", nn.LayerNorm(4, eps=1e-2, bias=False), rand(2, 3, 4)),
        case("LayerNorm without affine", nn.LayerNorm(3, elementwise_affine=False), image),
        case("LayerNorm over three dimensions", nn.LayerNorm([4, 2, 3]), image),
        case("LayerNorm over two dimensions", nn.LayerNorm([2, 3]), image),
        case("RMSNorm", nn.RMSNorm(4, eps=2.0**-23), rand(2, 3, 4)),
        case("RMSNorm without affine", nn.RMSNorm(4, eps=1e-2, elementwise_affine=False), rand(3, 4)),
        case("RMSNorm over two dimensions", nn.RMSNorm([2, 3], eps=1e-5), image),
        case("GroupNorm", nn.GroupNorm(2, 4), image),
        case("GroupNorm of rows", nn.GroupNorm(2, 8), rand(2, 8)),
        case("GroupNorm one group, without affine", nn.GroupNorm(1, 3, affine=False, eps=1e-3), line),
        case("LocalResponseNorm", nn.LocalResponseNorm(3), rand(2, 5, 2, 3)),
        case("LocalResponseNorm even size, all numbers", nn.LocalResponseNorm(4, alpha=0.5, beta=0.6, k=2.0), rand(2, 6, 3)),
    ]


class AdditiveAttention(nn.Module):
    def __init__(self, query, key, hidden):
        super().__init__()
        self.query_proj, self.key_proj = nn.Linear(query, hidden, bias=False), nn.Linear(key, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, query, keys, values=None, mask=None):
        scores = self.score(torch.tanh(self.query_proj(query)[:, :, None] + self.key_proj(keys)[:, None])).squeeze(-1)
        if mask is not None:
            scores = scores.masked_fill(~mask[:, None], -torch.inf)
        weights = scores.softmax(-1)
        return weights @ (keys if values is None else values), weights


def linear():
    index = torch.tensor([[1, 4, 2], [0, 4, 4]])
    return [
        case("Linear", nn.Linear(3, 4), rand(2, 5, 3)),
        case("Linear without bias, one vector", nn.Linear(3, 4, bias=False), rand(3)),
        case("Bilinear", nn.Bilinear(3, 4, 2), rand(5, 3), rand(5, 4)),
        case("Bilinear without bias", nn.Bilinear(2, 2, 3, bias=False), rand(2, 3, 2), rand(2, 3, 2)),
        case("Embedding", nn.Embedding(5, 3), index),
        case("Embedding with padding", nn.Embedding(5, 3, padding_idx=-1), index),
        case("AdditiveAttention", AdditiveAttention(3, 4, 5), rand(2, 3, 3), rand(2, 4, 4)),
        case("AdditiveAttention with values and a mask", AdditiveAttention(3, 4, 2), rand(2, 1, 3), rand(2, 4, 4), rand(2, 4, 2),
             torch.tensor([[True, True, False, True], [False, False, True, False]])),
    ]


class ConvLSTMCell(nn.Module):
    def __init__(self, inputs, hidden, kernel, bias=True):
        super().__init__()
        self.hidden = hidden
        self.conv_ih = nn.Conv2d(inputs, 4 * hidden, kernel, padding="same", bias=bias)
        self.conv_hh = nn.Conv2d(hidden, 4 * hidden, kernel, padding="same", bias=False)

    def forward(self, x, h=None, c=None):
        if h is None:
            h = c = x.new_zeros(x.shape[0], self.hidden, *x.shape[2:])
        i, f, g, o = (self.conv_ih(x) + self.conv_hh(h)).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


class ConvLSTM(nn.Module):
    def __init__(self, inputs, hidden, kernel, layers=1, bias=True, batch_first=False):
        super().__init__()
        self.cells = nn.ModuleList(ConvLSTMCell(hidden if k else inputs, hidden, kernel, bias) for k in range(layers))
        self.batch_first = batch_first

    def forward(self, x, h=None, c=None):
        steps = list(x.unbind(1 if self.batch_first else 0))
        ends = []
        for k, cell in enumerate(self.cells):
            state = (None, None) if h is None else (h[k], c[k])
            for t, step in enumerate(steps):
                state = cell(step, *state)
                steps[t] = state[0]
            ends.append(state)
        return torch.stack(steps, 1 if self.batch_first else 0), torch.stack([e[0] for e in ends]), torch.stack([e[1] for e in ends])


def conv_recurrent():
    return [
        case("ConvLSTMCell", ConvLSTMCell(2, 3, 3), rand(2, 2, 3, 4), rand(2, 3, 3, 4), rand(2, 3, 3, 4)),
        case("ConvLSTMCell without bias or state", ConvLSTMCell(2, 1, 1, bias=False), rand(1, 2, 2, 2)),
        case("ConvLSTM", ConvLSTM(1, 2, 3), rand(3, 2, 1, 3, 3)),
        case("ConvLSTM two layers, batch first, initial states", ConvLSTM(2, 2, 3, 2, batch_first=True), rand(1, 2, 2, 3, 2), rand(2, 1, 2, 3, 2), rand(2, 1, 2, 3, 2)),
    ]


# A small graph: node 3 has no incoming edge, node 0 has one twice.
EDGES = torch.tensor([[1, 1, 2, 3, 0, 4, 3, 2], [0, 0, 0, 1, 2, 2, 4, 4]])


class MessagePassing(nn.Module):
    def __init__(self, edge, node, aggregation="sum", score=None):
        super().__init__()
        self.edge, self.node = edge, node
        if score is not None:
            self.score = score
        self.aggregation = aggregation

    def forward(self, nodes, edges, features=None):
        source, target = edges
        parts = [nodes[source]] + ([] if features is None else [features]) + [nodes[target]]
        messages = self.edge(torch.cat(parts, 1))
        rows = []
        for n in range(len(nodes)):
            own = messages[target == n]
            if len(own) == 0:
                rows.append(messages.new_zeros(messages.shape[1]))
            elif self.aggregation == "attention":
                rows.append((self.score(own).softmax(0) * own).sum(0))
            else:
                rows.append({"sum": own.sum(0), "mean": own.mean(0), "max": own.amax(0)}[self.aggregation])
        return self.node(torch.cat([nodes, torch.stack(rows)], 1)), messages


class GCNConv(nn.Module):
    """Written with a dense adjacency matrix, unlike the layer it checks."""

    def __init__(self, inputs, outputs, bias=True, loops=True):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.lin, self.loops = nn.Linear(inputs, outputs, bias=False), loops

    def forward(self, x, edges):
        a = torch.zeros(len(x), len(x))
        for source, target in edges.T.tolist():
            a[target, source] += 1
        if self.loops:
            a = a + torch.eye(len(x))
        scale = a.sum(1).pow(-0.5)
        scale = torch.where(scale.isinf(), 0, scale)
        y = scale[:, None] * a * scale @ self.lin(x)
        return y if self.bias is None else y + self.bias


class GATConv(nn.Module):
    def __init__(self, inputs, outputs, heads=1, concat=True, slope=0.2):
        super().__init__()
        self.att_src, self.att_dst = nn.Parameter(torch.randn(1, heads, outputs)), nn.Parameter(torch.randn(1, heads, outputs))
        self.bias = nn.Parameter(torch.zeros(heads * outputs if concat else outputs))
        self.lin, self.heads, self.concat, self.slope = nn.Linear(inputs, heads * outputs, bias=False), heads, concat, slope

    def forward(self, x, edges):
        n = len(x)
        count = torch.eye(n)
        for source, target in edges.T.tolist():
            count[target, source] += 1
        h = self.lin(x).view(n, self.heads, -1)
        scores = F.leaky_relu((h * self.att_dst).sum(-1)[:, None] + (h * self.att_src).sum(-1)[None], self.slope)
        powers = count[:, :, None] * scores.exp()
        y = torch.einsum("tsh,shc->thc", powers / powers.sum(1, keepdim=True), h)
        return (y.flatten(1) if self.concat else y.mean(1)) + self.bias


def graph():
    nodes, features = rand(5, 3), rand(8, 2)
    step = lambda aggregation, score=None: MessagePassing(nn.Sequential(nn.Linear(8, 4), nn.Tanh()), nn.Linear(7, 3), aggregation, score)
    return [
        case("message passing, sum", step("sum"), nodes, EDGES, features),
        case("message passing, mean", step("mean"), nodes, EDGES, features),
        case("message passing, max", MessagePassing(nn.Linear(6, 4), nn.Linear(7, 3), "max"), nodes, EDGES[:, 1:]),
        case("message passing, attention", step("attention", nn.Linear(4, 1)), nodes, EDGES, features),
        case("GCNConv", GCNConv(3, 4), nodes, EDGES),
        case("GCNConv without self-loops or bias", GCNConv(3, 2, False, False), nodes, EDGES),
        case("GATConv", GATConv(3, 4), nodes, EDGES),
        case("GATConv heads", GATConv(3, 2, 3), nodes, EDGES),
        case("GATConv mean of heads", GATConv(3, 2, 2, False, 0.1), nodes, EDGES),
    ]


GROUPS = {"linear": linear, "conv-recurrent": conv_recurrent, "graph": graph, "activation": activation, "norm": norm, "transformer": transformer, "recurrent": recurrent, "attention": attention, "convolution": convolution, "pooling": pooling, "resampling": resampling}

if __name__ == "__main__":
    for group in sys.argv[1:] or GROUPS:
        torch.manual_seed(sum(map(ord, group)))
        note = f"made by tools/parity/layers.py with PyTorch {torch.__version__.split('+')[0]}"
        text = json.dumps({"note": note, "cases": GROUPS[group]()}, separators=(",", ":"))
        (ROOT / f"layers-{group}.json").write_text(text + "\n")
