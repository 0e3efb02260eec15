"""Writes test/fixtures/initial.safetensors: mean, standard deviation and largest magnitude of each parameter of freshly made
PyTorch layers, and PyTorch's gains. Run with any recent PyTorch: python tools/parity/initial.py
"""
import torch
from torch import nn
from fixture import save

torch.manual_seed(0)
LAYERS = {
    "Linear": nn.Linear(300, 200),
    "Bilinear": nn.Bilinear(30, 20, 40),
    "Embedding": nn.Embedding(300, 50),
    "Conv1d": nn.Conv1d(16, 64, 5),
    "Conv2d groups": nn.Conv2d(16, 64, 3, groups=4),
    "ConvTranspose1d": nn.ConvTranspose1d(32, 48, 4),
    "ConvTranspose2d groups": nn.ConvTranspose2d(32, 48, 3, groups=2),
    "RNN": nn.RNN(30, 60, 2),
    "LSTM": nn.LSTM(30, 60, bidirectional=True),
    "GRU": nn.GRU(30, 60),
    "LSTMCell": nn.LSTMCell(30, 60),
    "GRUCell": nn.GRUCell(30, 60),
    "RNNCell": nn.RNNCell(30, 60),
    "MultiheadAttention": nn.MultiheadAttention(64, 4),
    "MultiheadAttention kdim": nn.MultiheadAttention(64, 4, kdim=32, vdim=16),
    "TransformerEncoderLayer": nn.TransformerEncoderLayer(64, 4, 128),
    "Transformer": nn.Transformer(64, 4, 1, 1, 128),
    "BatchNorm2d": nn.BatchNorm2d(8),
    "InstanceNorm1d": nn.InstanceNorm1d(8, affine=True, track_running_stats=True),
    "GroupNorm": nn.GroupNorm(2, 8),
    "LayerNorm": nn.LayerNorm([4, 8]),
    "RMSNorm": nn.RMSNorm(8),
    "PReLU": nn.PReLU(3),
}
statistics = lambda t: torch.tensor([float(t.mean()), float(t.std(correction=0)), float(t.abs().max())], dtype=torch.float64)
layers = {name: {key: statistics(t) for key, t in layer.double().state_dict().items() if t.is_floating_point()} for name, layer in LAYERS.items()}
keys = {name: list(state) for name, state in layers.items()}
gain = nn.init.calculate_gain
gains = [["linear", None, gain("linear")], ["sigmoid", None, gain("sigmoid")], ["tanh", None, gain("tanh")], ["relu", None, gain("relu")],
         ["leakyRelu", None, gain("leaky_relu")], ["leakyRelu", 0.3, gain("leaky_relu", 0.3)], ["selu", None, gain("selu")]]
save("initial.py", "initial", {"gains": gains, "keys": keys, "layers": layers})
