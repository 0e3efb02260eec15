"""Layers that PyTorch does not have, composed of its own; and two that it has in a form that is no oracle."""
import torch
from torch import nn
import torch.nn.functional as F


class Attention(nn.Module):
    def forward(self, q, k, v, mask=None, **options):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, **options)


class Parallel(nn.Sequential):
    def __init__(self, *branches, dim=1):
        super().__init__(*branches)
        self.dim = dim

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], self.dim)


class Residual(nn.Module):
    def __init__(self, body, shortcut=None):
        super().__init__()
        self.body, self.shortcut = nn.Sequential(*body), shortcut

    def forward(self, x):
        return self.body(x) + (x if self.shortcut is None else self.shortcut(x))


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


class SinusoidalPositions(nn.Module):
    """The encoding as a sum of real parts of complex powers, unlike the table it checks."""

    def forward(self, x):
        length, dim = x.shape[-2:]
        rates = torch.pow(10000.0, -torch.arange(0, dim, 2) / dim)
        turns = torch.polar(torch.ones(length, dim // 2), torch.arange(length)[:, None] * rates)
        return x + torch.stack([turns.imag, turns.real], -1).flatten(-2)


class LearnedPositions(nn.Module):
    def __init__(self, most, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(most, dim))

    def forward(self, x):
        return x + self.weight[:x.shape[-2]]
