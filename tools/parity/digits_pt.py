"""Trains the network of examples/web/digits.ts on the digits of scikit-learn: writes examples/web/digits.pt."""
import pathlib
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
x, y = load_digits(return_X_y=True)
x = torch.tensor(x, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
y = torch.tensor(y)
order = torch.randperm(len(x))
train, test = order[:1437], order[1437:]
net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10))
optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
for epoch in range(80):
    for batch in train[torch.randperm(len(train))].split(64):
        # moved by up to a pixel, so that it matters less where somebody draws
        moved = torch.roll(x[batch], tuple(torch.randint(-1, 2, (2,)).tolist()), (2, 3))
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(moved), y[batch]).backward()
        optimizer.step()
print((net(x[test]).argmax(1) == y[test]).float().mean())
torch.save(net.state_dict(), pathlib.Path(__file__).resolve().parents[2] / "examples" / "web" / "digits.pt")
