"""Writes test/fixtures/sequences.json: what PyTorch gives for recurrent layers, their cells and MultiheadAttention over ranks 1 to 4
and sizes 0 to 3, with states and masks, values and gradients, and what it refuses (checksums.py says how). The parameters are numbers
of the same formula, in the order of their names. Run with any recent PyTorch: python tools/parity/sequences.py
"""
import itertools
import math
import torch
import torch.nn as nn
from checksums import case, numbers, save_rows, text

SIZES = (0, 1, 2, 3)
NAMES = {"numLayers": "num_layers", "batchFirst": "batch_first"}


def filled(module):
    with torch.no_grad():
        for k, (_, p) in enumerate(sorted(module.named_parameters())):
            p.copy_(torch.tensor(numbers("f", p.numel(), k)).reshape(p.shape) / 4)
    return module


def layer(kind, options, states):
    module = filled(kind(3, 2, **{NAMES.get(k, k): v for k, v in options.items()}))
    if not states:
        return lambda x, *_: module(x)
    return lambda x, *rest: module(x, rest[0] if states == 1 else tuple(rest[:2]))


def turn(options, n):
    return options[n % len(options)]


VARIANTS = [{}, {"batchFirst": True}, {"bidirectional": True}, {"numLayers": 2, "bias": False}, {"numLayers": 2, "bidirectional": True, "batchFirst": True}]
SEQUENCES = [(3,), *itertools.product(SIZES, (3,)), *itertools.product(SIZES, SIZES, (3,)), (2, 2), (2, 1, 0), (3, 2, 1), (1, 2, 2, 3), (0, 1, 2, 3)]
n = 0
for shape in SEQUENCES:
    for name, kind, states in (("RNN", nn.RNN, 1), ("GRU", nn.GRU, 1), ("LSTM", nn.LSTM, 2)):
        for options in (VARIANTS[0], turn(VARIANTS[1:], n)):
            n += 1
            case(name, [text("f", shape)], [options], layer(kind, options, 0))
            ways = options.get("numLayers", 1) * (2 if options.get("bidirectional") else 1)
            batch = shape[0] if options.get("batchFirst") and len(shape) == 3 else shape[1] if len(shape) > 1 else 1
            state = (ways, 2) if len(shape) == 2 else (ways, batch, 2)
            if n % 5 == 0:
                state = turn([(ways, 2), (ways, batch + 1, 2), (ways + 1, batch, 2), (ways, batch, 3)], n // 5)  # mostly one that does not fit
            case(name, [text("f", shape), *[text("f", state)] * states], [options], layer(kind, options, states))
CELLS = [(), (3,), (2,), (0,), *[(m, 3) for m in SIZES], (2, 0), (1, 2), (2, 1, 3), (0, 0, 3)]
for shape in CELLS:
    for name, kind, states in (("RNNCell", nn.RNNCell, 1), ("GRUCell", nn.GRUCell, 1), ("LSTMCell", nn.LSTMCell, 2)):
        case(name, [text("f", shape)], [{}], layer(kind, {}, 0))
        for state in ((*shape[:-1], 2), (*shape[:-1], 3), (2, 2)):
            case(name, [text("f", shape), *[text("f", state)] * states], [{}], layer(kind, {}, states))


def attention(options):
    module = filled(nn.MultiheadAttention(4, 2, **{NAMES.get(k, k): v for k, v in options.items()}))

    def run(q, k, v, padding=None, mask=None, *_):
        return module(q, k, v, key_padding_mask=padding, attn_mask=mask)

    return run


for length, keys, batch in itertools.product(SIZES, SIZES, SIZES):
    batch_first = (length + keys + batch) % 2 == 1
    options = {"batchFirst": True} if batch_first else {}
    at = (lambda l: (batch, l, 4)) if batch_first else (lambda l: (l, batch, 4))
    inputs = [text("f", at(length)), text("f", at(keys)), text("f", at(keys))]
    call = attention(options)
    case("MultiheadAttention", inputs, ["plain", options], lambda q, k, v, _, __, f=call: f(q, k, v))
    if length > 0 and batch > 0:
        # a mask of floats: no row is masked as a whole, for which PyTorch gives NaN and nabla 0
        case("MultiheadAttention", [*inputs, text("f", (length, keys))], ["mask", options], lambda q, k, v, m, _, __, f=call: f(q, k, v, None, m))
        case("MultiheadAttention", [*inputs, text("f", (batch, keys))], ["padding", options], lambda q, k, v, m, _, __, f=call: f(q, k, v, m))
for shapes in (((2, 4), (3, 4), (3, 4)), ((2, 4), (0, 4), (0, 4)), ((0, 4), (3, 4), (3, 4)), ((1, 4), (1, 4), (1, 4)), ((2, 4), (3, 4), (2, 4)), ((2, 3), (3, 3), (3, 3)),
               ((4,), (4,), (4,)), ((2, 1, 4), (3, 4), (3, 4)), ((2, 2, 4), (3, 1, 4), (3, 1, 4)), ((2, 1, 4), (3, 1, 4), (2, 1, 4)), ((1, 2, 1, 4), (1, 2, 1, 4), (1, 2, 1, 4))):
    case("MultiheadAttention", [text("f", s) for s in shapes], ["plain", {}], lambda q, k, v, _, __, f=attention({}): f(q, k, v))
save_rows("sequences.py", "sequences")
