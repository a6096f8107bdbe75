"""Peers on Fashion-MNIST at 8 bits: run by `benchmarks.fashion_mnist`, in a Python that has torch and zuko.

    python fashion_worker.py zuko|pixelcnn DATA.npz SECONDS THREADS

Trains for so many seconds under Adam and a cosine over that time, then prints `bits per dimension, steps,
seconds` of the whole test part. Sizes are ours, chosen to fit the time, and were not searched over:

zuko      a neural spline flow of 3 autoregressive transforms, 2 x 256 hidden units, 8 bins, of logits of
          uniformly dequantised levels, each entry standardised; a bound, here of one draw of noise an image.
pixelcnn  a masked 7 x 7 convolution, six residual blocks of masked 3 x 3 convolutions, 64 features and a
          softmax over 256 levels; exact.
"""

import math
import sys
import time

import numpy as np
import torch
import zuko
from torch import nn

kind, path, seconds, threads = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
torch.manual_seed(0)
with np.load(path) as data:
    train, test = (torch.from_numpy(data[part].reshape(-1, 784)) for part in ("train", "test"))
D, LEVELS, MARGIN = 784, 256, 0.05


class Masked(nn.Conv2d):
    def __init__(self, inputs, outputs, size, here):
        super().__init__(inputs, outputs, size, padding=size // 2)
        mask = torch.ones(size, size)
        mask[size // 2, size // 2 + here :] = 0
        mask[size // 2 + 1 :] = 0
        self.register_buffer("mask", mask)

    def forward(self, x):
        return self._conv_forward(x, self.weight * self.mask, self.bias)


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(width, width // 2, 1),
            nn.ReLU(),
            Masked(width // 2, width // 2, 3, True),
            nn.ReLU(),
            nn.Conv2d(width // 2, width, 1),
        )

    def forward(self, x):
        return x + self.body(x)


class PixelCNN(nn.Module):
    def __init__(self, width=64, blocks=6):
        super().__init__()
        self.body = nn.Sequential(
            Masked(1, width, 7, False),
            *[Block(width) for _ in range(blocks)],
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Conv2d(width, LEVELS, 1),
        )

    def nats(self, x):
        image = x.view(-1, 1, 28, 28)
        logits = self.body(image / 127.5 - 1.0)
        loss = nn.functional.cross_entropy(logits, image[:, 0].long(), reduction="none")
        return loss.flatten(1).sum(1)


def logits(x):
    """Levels with uniform noise as reals, and the log-volume of the way there."""
    u = MARGIN + (1 - 2 * MARGIN) * (x + torch.rand(x.shape)) / LEVELS
    slope = -torch.log(u) - torch.log1p(-u) + math.log((1 - 2 * MARGIN) / LEVELS)
    return torch.log(u) - torch.log1p(-u), slope.sum(1)


class Spline(nn.Module):
    def __init__(self):
        super().__init__()
        z, _ = logits(train[:10_000].float())
        self.mean, self.scale = z.mean(0), z.std(0)
        self.flow = zuko.flows.NSF(features=D, transforms=3, hidden_features=(256, 256), bins=8)

    def nats(self, x):
        z, volume = logits(x)
        z = (z - self.mean) / self.scale
        return -(self.flow().log_prob(z) + volume - torch.log(self.scale).sum())


began = time.monotonic()
model, batch = (Spline(), 64) if kind == "zuko" else (PixelCNN(), 16)
optimizer, steps = torch.optim.Adam(model.parameters(), 1e-3), 0
while (done := (time.monotonic() - began) / seconds) < 1:
    for group in optimizer.param_groups:
        group["lr"] = 1e-3 * (1 + math.cos(math.pi * done)) / 2
    optimizer.zero_grad()
    loss = model.nats(train[torch.randint(len(train), (batch,))].float()).mean()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    steps += 1
spent = time.monotonic() - began
with torch.no_grad():
    nats = [model.nats(part.float()).sum().item() for part in test.split(250)]
print(sum(nats) / len(test) / D / math.log(2), steps, spent, flush=True)
