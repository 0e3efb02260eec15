"""Writes test/fixtures/layers-*.safetensors: what PyTorch computes for nabla's layers, forward and backward, in float64.

Run with any recent PyTorch: python tools/parity/layers.py [group ...]. Each group has a seed of its own.
"""
import copy
import sys
import torch
from torch import nn
import torch.nn.functional as F
from fixture import rand, save, weighted
from modules import (AdditiveAttention, Attention, ConvLSTM, ConvLSTMCell, GATConv, GCNConv, Hardsigmoid, LearnedPositions, Maxout,
                     MessagePassing, Parallel, Residual, SinusoidalPositions)

torch.set_default_dtype(torch.float64)


def snap(module):
    """Random float32 parameters and statistics: defaults such as ones and zeros would hide mistakes."""
    with torch.no_grad():
        for p in module.parameters():
            p.copy_((p + 0.2 * torch.randn_like(p)).float().double())
        for name, b in module.named_buffers():
            if b.is_floating_point():
                b.copy_((b + 0.3 * (torch.rand_like(b) if "var" in name else torch.randn_like(b))).float().double())
    return module


def leaves(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return [t for v in value if v is not None for t in leaves(v)]


def case(name, module, *inputs, call=None, steps=1, train=None):
    """Forward and backward with a fixed weighting of the outputs, `steps` times without changing parameters. A case without
    `train` is for a layer that does the same in training and in evaluation, which is proved here."""
    snap(module)
    state = module.state_dict()
    results = [run(copy.deepcopy(module).train(mode), inputs, call, steps) for mode in ([True, False] if train is None else [train])]
    assert all(same(results[0], r) for r in results), f"{name} has two modes"
    result = results[0]
    return name, {"modes": ["train", "eval"] if train is None else ["train" if train else "eval"], "steps": steps, "keys": list(state),
                  "inputs": list(inputs), "before": state, **result,
                  "after": {k: v for k, v in result["after"].items() if not torch.equal(v, state[k])}}


def run(module, inputs, call, steps):
    for _ in range(steps):
        module.zero_grad()
        xs = [x.detach().clone().requires_grad_() if x.dtype == torch.float64 else x for x in inputs]
        outputs = leaves((call or (lambda m, *v: m(*v)))(module, *xs))
        sum(weighted(y) for y in outputs if y.requires_grad).backward()
    return {"outputs": outputs, "gradInputs": [x.grad for x in xs],
            "grads": {k: p.grad for k, p in module.named_parameters() if p.grad is not None}, "after": module.state_dict()}


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, (dict, list)):
        keys = a if isinstance(a, dict) else range(len(a))
        return len(a) == len(b) and all(same(a[k], b[k]) for k in keys)
    return a == b


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
        case("RNN relu, two layers, both directions, dropout in evaluation",
             nn.RNN(3, 2, 2, nonlinearity="relu", bidirectional=True, dropout=0.3), x, rand(4, 2, 2), train=False),
        case("RNN lengths", nn.RNN(3, 2), x, lengths, rand(1, 2, 2), call=masked),
        case("LSTM whose dropout drops everything", nn.LSTM(3, 2, 2, dropout=1.0), x, train=True),
        case("LSTMCell unbatched", nn.LSTMCell(3, 2), rand(3), rand(2), rand(2), call=pair),
    ]


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
        case("MultiheadAttention dropout in evaluation", MHA(4, 2, dropout=0.5), x, call=self_attention(), train=False),
        case("MultiheadAttention causal without weights", MHA(4, 2), x,
             call=lambda m, x: m(x, x, x, need_weights=False, attn_mask=causal, is_causal=True)[0]),
    ]


def convolution():
    separable = nn.Sequential()
    separable.add_module("depthwise", nn.Conv2d(3, 3, 3, padding=1, stride=2, groups=3))
    separable.add_module("pointwise", nn.Conv2d(3, 4, 1))
    plain = nn.Sequential()
    plain.add_module("depthwise", nn.Conv2d(2, 2, (2, 3), dilation=2, groups=2, bias=False))
    plain.add_module("pointwise", nn.Conv2d(2, 3, 1, bias=False))
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
        case("DepthwiseSeparableConv2d dilation, without bias", plain, rand(1, 2, 5, 6)),
        case("Conv2d", nn.Conv2d(2, 3, 3), rand(2, 2, 5, 6)),
        case("Conv2d stride, padding, dilation, groups", nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), rand(2, 4, 7, 5)),
        case("Conv2d same", nn.Conv2d(1, 2, 4, padding="same", bias=False), rand(1, 1, 5, 5)),
        case("Conv2d unbatched", nn.Conv2d(2, 2, 2), rand(2, 3, 3)),
        case("ConvTranspose1d unbatched", nn.ConvTranspose1d(2, 3, 2, stride=2, bias=False), rand(2, 3)),
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
        case("MaxUnpool1d stride, padding, output size", N(), rand(1, 2, 8),
             call=unpooled(nn.MaxPool1d(3, stride=3, padding=1, return_indices=True), nn.MaxUnpool1d(3, stride=3, padding=1), torch.Size((8,)))),
        case("MaxPool2d", nn.MaxPool2d(3, stride=2, padding=1), rand(2, 2, 6, 5)),
        case("AvgPool2d", nn.AvgPool2d((2, 3), stride=2, padding=(1, 0)), rand(2, 2, 5, 7)),
        case("AdaptiveAvgPool2d 2x3", nn.AdaptiveAvgPool2d((2, 3)), rand(2, 2, 5, 7)),
        case("AdaptiveAvgPool2d divides", nn.AdaptiveAvgPool2d(2), rand(1, 2, 4, 6)),
        case("AdaptiveMaxPool1d unbatched", nn.AdaptiveMaxPool1d(2), rand(2, 5)),
        case("GlobalAvgPool1d", nn.AdaptiveAvgPool1d(1), rand(2, 2, 5)),
        case("GlobalAvgPool2d", nn.AdaptiveAvgPool2d(1), rand(2, 3, 4, 5)),
        case("GlobalAvgPool2d unbatched", nn.AdaptiveAvgPool2d(1), rand(3, 2, 4)),
        case("GlobalMaxPool1d", nn.AdaptiveMaxPool1d(1), rand(2, 2, 5)),
        case("GlobalMaxPool2d", nn.AdaptiveMaxPool2d(1), rand(2, 3, 4, 5)),
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
        case("Unflatten the last dimension", nn.Unflatten(-1, (2, 2, 1)), rand(3, 4)),
        case("PixelUnshuffle unbatched", nn.PixelUnshuffle(3), rand(1, 3, 6)),
        case("Flatten", nn.Flatten(), rand(2, 3, 2, 2)),
        case("Flatten dimensions 0 and 1", nn.Flatten(0, 1), rand(2, 3, 2)),
    ]


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
        case("Parallel along the last dimension", Parallel(nn.Linear(3, 2), nn.Identity(), dim=-1), rand(2, 2, 3)),
        case("Sequential", nn.Sequential(nn.Linear(3, 4, bias=False), nn.Sequential(nn.BatchNorm1d(4), nn.ReLU()), nn.Linear(4, 2)), rand(5, 3), train=True),
        case("Sequential in evaluation", nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5), nn.Flatten(), nn.Linear(12, 2)), rand(2, 2, 4, 4), train=False),
        case("decoder layer gelu, batch first, no bias", Decoder(4, 2, activation="gelu", batch_first=True, bias=False, **small), rand(2, 3, 4), rand(2, 5, 4)),
        case("decoder layer in evaluation", Decoder(4, 2, 3, 0.5), x, memory, train=False),
        case("encoder norm first, batch first, masks", nn.TransformerEncoder(Encoder(4, 2, norm_first=True, batch_first=True, **small), 2, enable_nested_tensor=False),
             rand(2, 3, 4), padding, call=lambda m, x, p: m(x, mask=causal, src_key_padding_mask=p)),
        case("decoder with a norm, masks", nn.TransformerDecoder(Decoder(4, 2, **small), 1, nn.LayerNorm(4)), x, memory, memory_padding,
             call=lambda m, x, y, p: m(x, y, tgt_mask=causal, memory_key_padding_mask=p)),
        case("Transformer batch first, norm first, gelu", nn.Transformer(4, 2, 2, 1, batch_first=True, norm_first=True, activation="gelu", **small),
             rand(2, 5, 4), rand(2, 3, 4), padding, call=lambda m, s, t, p: m(s, t, tgt_mask=causal, tgt_key_padding_mask=p)),
        case("SinusoidalPositions", SinusoidalPositions(), rand(2, 5, 6)),
        case("SinusoidalPositions unbatched", SinusoidalPositions(), rand(3, 4)),
        case("LearnedPositions", LearnedPositions(5, 4), rand(2, 3, 4)),
        case("LearnedPositions all of them", LearnedPositions(3, 2), rand(3, 2)),
    ]


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
        case("Threshold below", nn.Threshold(-1, 20), x),
        case("RReLU whose bounds are equal", nn.RReLU(0.25, 0.25), x, train=True),
        case("Hardtanh 0 6", nn.Hardtanh(0, 6), x),
        case("Softmin of rows", nn.Softmin(0), rand(3, 4)),
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
    both = lambda name, make, *xs, **o: [case(name, make(), *xs, steps=2, train=True, **o), case(name + " in evaluation", make(), *xs, train=False, **o)]
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
        *both("InstanceNorm1d running statistics", lambda: nn.InstanceNorm1d(3, track_running_stats=True), line),
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
        case("Linear without bias", nn.Linear(5, 3, bias=False), rand(2, 3, 5)),
        case("Embedding of one dimension", nn.Embedding(4, 2), torch.tensor([3, 0, 3])),
        case("Bilinear one pair", nn.Bilinear(2, 3, 2), rand(2), rand(3)),
    ]


def conv_recurrent():
    return [
        case("ConvLSTMCell", ConvLSTMCell(2, 3, 3), rand(2, 2, 3, 4), rand(2, 3, 3, 4), rand(2, 3, 3, 4)),
        case("ConvLSTMCell without bias or state", ConvLSTMCell(2, 1, 1, bias=False), rand(1, 2, 2, 2)),
        case("ConvLSTM", ConvLSTM(1, 2, 3), rand(3, 2, 1, 3, 3)),
        case("ConvLSTM two layers, batch first, initial states", ConvLSTM(2, 2, 3, 2, batch_first=True), rand(1, 2, 2, 3, 2), rand(2, 1, 2, 3, 2), rand(2, 1, 2, 3, 2)),
    ]


# A small graph: node 3 has no incoming edge, node 0 has one twice.
EDGES = torch.tensor([[1, 1, 2, 3, 0, 4, 3, 2], [0, 0, 0, 1, 2, 2, 4, 4]])


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


def dropout():
    """What random zeros leave to chance, tests of their statistics see; here is what is certain."""
    rows, line, image = rand(4, 3), rand(2, 3, 4), rand(2, 3, 2, 2)
    cases = []
    for name, x in ("Dropout", rows), ("Dropout1d", line), ("Dropout2d", image), ("AlphaDropout", rows):
        make = getattr(nn, name)
        cases += [case(f"{name} in evaluation", make(), x, train=False),
                  case(f"{name} with probability 0", make(0.0), x),
                  case(f"{name} with probability 1", make(1.0), x, train=True)]
    return cases


def padding():
    line, image, volume = rand(2, 2, 5), rand(1, 2, 4, 5), rand(1, 1, 3, 4, 3)
    cases = [
        case("Conv1d reflect", nn.Conv1d(2, 3, 3, padding=2, padding_mode="reflect"), line),
        case("Conv1d circular, stride, groups", nn.Conv1d(2, 2, 3, padding=1, stride=2, groups=2, padding_mode="circular"), line),
        case("Conv2d replicate, unbatched", nn.Conv2d(2, 3, (3, 2), padding=(2, 1), padding_mode="replicate"), rand(2, 4, 5)),
        case("Conv2d same circular, dilation", nn.Conv2d(2, 1, (2, 3), padding="same", dilation=2, bias=False, padding_mode="circular"), image),
        case("Conv2d reflect valid", nn.Conv2d(2, 1, 2, padding="valid", padding_mode="reflect"), image),
        case("Unfold", nn.Unfold((2, 3), padding=1, stride=2), image),
        case("Fold", nn.Fold((4, 5), (2, 3), padding=1, stride=2), rand(1, 12, 9)),
    ]
    for kind, extra in (("ReflectionPad", ()), ("ReplicationPad", ()), ("CircularPad", ()), ("ZeroPad", ()), ("ConstantPad", (1.5,))):
        for d, x in ((1, line), (2, image), (3, volume)):
            cases.append(case(f"{kind}{d}d", getattr(nn, f"{kind}{d}d")(1, *extra), x))
        cases.append(case(f"{kind}2d of four, unbatched", getattr(nn, f"{kind}2d")((1, 2, 0, 3), *extra), image[0].clone()))
    return cases


def volumes():
    """Three dimensions, and what other numbers of dimensions got with them."""
    image, volume = rand(2, 2, 5, 4), rand(2, 2, 4, 5, 3)
    N, Up = nn.Identity, nn.Upsample
    pool = lambda **o: nn.MaxPool3d(return_indices=True, **o)
    indices = lambda make: lambda _, x: (lambda y, i: (y, y * i))(*make(x))
    cases = [
        case("Conv3d", nn.Conv3d(2, 3, 2), volume),
        case("Conv3d stride, padding, dilation, groups", nn.Conv3d(4, 2, (2, 3, 1), stride=(2, 1, 2), padding=(1, 2, 0), dilation=(1, 2, 1), groups=2, bias=False), rand(1, 4, 3, 4, 3)),
        case("Conv3d same, unbatched", nn.Conv3d(2, 2, 3, padding="same"), rand(2, 3, 3, 4)),
        case("Conv3d replicate", nn.Conv3d(2, 2, 2, padding=1, padding_mode="replicate"), rand(1, 2, 2, 3, 2)),
        case("ConvTranspose3d", nn.ConvTranspose3d(2, 3, 2), rand(1, 2, 3, 2, 3)),
        case("ConvTranspose3d everything", nn.ConvTranspose3d(4, 2, (3, 2, 2), stride=(2, 3, 1), padding=(1, 0, 1), output_padding=(1, 2, 0), dilation=(2, 1, 1), groups=2, bias=False), rand(1, 4, 2, 2, 3)),
        case("MaxPool3d", nn.MaxPool3d(2, stride=1, padding=1), volume),
        case("MaxPool3d ceil mode, unbatched", nn.MaxPool3d((2, 3, 2), ceil_mode=True), rand(2, 3, 5, 3)),
        case("MaxPool3d indices", N(), volume, call=indices(pool(kernel_size=2, stride=(2, 1, 1)))),
        case("MaxUnpool3d", N(), volume, call=unpooled(pool(kernel_size=2), nn.MaxUnpool3d(2), torch.Size((4, 5, 3)))),
        case("AvgPool3d", nn.AvgPool3d((2, 3, 2), stride=2, padding=(1, 1, 0)), volume),
        case("AvgPool3d ceil mode without padding in the count", nn.AvgPool3d(2, padding=1, ceil_mode=True, count_include_pad=False), volume),
        case("AvgPool3d divisor", nn.AvgPool3d(2, divisor_override=3), volume),
        case("AvgPool2d divisor, ceil mode, padding", nn.AvgPool2d(2, stride=3, padding=1, ceil_mode=True, divisor_override=-2), image),
        case("LPPool1d", nn.LPPool1d(3, 2), torch.rand(2, 2, 5).float().double() + 0.5),
        case("LPPool2d ceil mode", nn.LPPool2d(2, (2, 3), stride=2, ceil_mode=True), image),
        case("LPPool3d", nn.LPPool3d(2, 2), volume),
        case("AdaptiveAvgPool3d", nn.AdaptiveAvgPool3d((2, 3, 1)), volume),
        case("AdaptiveAvgPool3d divides", nn.AdaptiveAvgPool3d((2, 5, 3)), volume),
        case("AdaptiveMaxPool3d", nn.AdaptiveMaxPool3d((3, 2, 2)), volume),
        case("AdaptiveMaxPool1d indices", N(), rand(2, 2, 7), call=indices(nn.AdaptiveMaxPool1d(3, return_indices=True))),
        case("AdaptiveMaxPool2d indices", N(), image, call=indices(nn.AdaptiveMaxPool2d((2, 3), return_indices=True))),
        case("AdaptiveMaxPool2d indices where it divides, unbatched", N(), rand(2, 4, 6), call=indices(nn.AdaptiveMaxPool2d(2, return_indices=True))),
        case("AdaptiveMaxPool3d indices", N(), volume, call=indices(nn.AdaptiveMaxPool3d((3, 2, 2), return_indices=True))),
        case("InstanceNorm3d", nn.InstanceNorm3d(2, affine=True), volume),
        case("BatchNorm3d", nn.BatchNorm3d(2), volume, steps=2, train=True),
        case("BatchNorm3d in evaluation", nn.BatchNorm3d(2), volume, train=False),
        case("nearest 3d", Up(size=(5, 3, 4)), volume),
        case("trilinear", Up(scale_factor=(1.5, 2, 0.7), mode="trilinear"), volume),
        case("trilinear aligned", Up(size=(3, 7, 5), mode="trilinear", align_corners=True), volume),
        case("area 1d", lambda_module(lambda x: F.interpolate(x, size=4, mode="area")), rand(1, 2, 7)),
        case("area 2d", lambda_module(lambda x: F.interpolate(x, scale_factor=0.6, mode="area")), image),
        case("area 3d", lambda_module(lambda x: F.interpolate(x, size=(3, 2, 5), mode="area")), volume),
        case("nearest-exact 1d", lambda_module(lambda x: F.interpolate(x, scale_factor=1.6, mode="nearest-exact")), rand(1, 2, 7)),
        case("nearest-exact 2d", lambda_module(lambda x: F.interpolate(x, size=(8, 3), mode="nearest-exact")), image),
        case("nearest-exact 3d", lambda_module(lambda x: F.interpolate(x, scale_factor=2, mode="nearest-exact")), rand(1, 1, 2, 3, 2)),
        *[case(f"{mode} antialias {name}", lambda_module(lambda x, m=mode, o=o: F.interpolate(x, mode=m, antialias=True, **o)), rand(1, 2, 7, 6))
          for mode in ("bilinear", "bicubic") for name, o in (("down", dict(size=(3, 2))), ("factor", dict(scale_factor=0.45)), ("up", dict(size=(9, 8))), ("aligned", dict(size=(3, 4), align_corners=True)))],
        *[case(f"grid sample bicubic {padding}{' aligned' if aligned else ''}", N(), image, 1.3 * rand(2, 3, 3, 2),
               call=lambda _, x, g, p=padding, a=aligned: F.grid_sample(x, g, mode="bicubic", padding_mode=p, align_corners=a))
          for padding in ("zeros", "border", "reflection") for aligned in (False, True)],
    ]
    for p in (0.0, 1.0):
        cases.append(case(f"Dropout3d with probability {p:.0f}", nn.Dropout3d(p), volume, train=True))
    for _, found in cases:
        found["modes"] = found["modes"][:1]  # the other mode is that of the layers of two dimensions
    return cases


class Call(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.forward = f


def lambda_module(f):
    return Call(f)


GROUPS = {"padding": padding, "dropout": dropout, "linear": linear, "conv-recurrent": conv_recurrent, "graph": graph, "activation": activation, "norm": norm, "transformer": transformer, "recurrent": recurrent, "attention": attention, "convolution": convolution, "pooling": pooling, "resampling": resampling, "volumes": volumes}

if __name__ == "__main__":
    for group in sys.argv[1:] or GROUPS:
        torch.manual_seed(sum(map(ord, group)))
        cases = GROUPS[group]()
        assert len({name for name, _ in cases}) == len(cases), group
        save("layers.py", f"layers-{group}", {"cases": dict(cases)})
