"""The other side of volumes.ts: losses and gradients by PyTorch and NumPy, timed here.

Reads one JSON object a line: {"library", "loss", "entries", "threads"}; answers with
{"ms", "loss"}, or {"error"}. Arrays are made once for each loss and size and reused.
"""

import json
import sys
import time

import numpy as np
import torch

EPS = 1e-5
CLASSES = 4
arrays = {}


def data(loss, entries):
    key = (loss, entries)
    if key not in arrays:
        arrays.clear()
        rng = np.random.default_rng(7)
        shape = (CLASSES, entries // CLASSES) if loss == "softmax" else (entries,)
        x = rng.random(shape, dtype=np.float32)
        if loss != "probabilities":
            x = (x - 0.5) * 8
        t = (rng.random(shape, dtype=np.float32) < 0.1).astype(np.float32)
        arrays[key] = (x, t, torch.from_numpy(x), torch.from_numpy(t))
    return arrays[key]


def torch_loss(loss, x, t):
    if loss == "softmax":
        p = torch.softmax(x, dim=0)
        dice = (2 * (p * t).sum(1) + EPS) / (p.sum(1) + t.sum(1) + EPS)
        return 1 - dice.mean()
    p = torch.sigmoid(x) if loss == "sigmoid" else x
    return 1 - (2 * (p * t).sum() + EPS) / (p.sum() + t.sum() + EPS)


def by_torch(loss, x, t):
    x = x.detach().requires_grad_()
    value = torch_loss(loss, x, t)
    value.backward()
    return value.item(), x.grad


def by_numpy(loss, x, t):
    if loss == "softmax":
        e = np.exp(x - x.max(0))
        p = e / e.sum(0)
        n = 2 * (p * t).sum(1, keepdims=True) + EPS
        d = p.sum(1, keepdims=True) + t.sum(1, keepdims=True) + EPS
        g = (n / (d * d) - 2 * t / d) / CLASSES
        return 1 - (n / d).mean(), p * (g - (p * g).sum(0))
    p = 1 / (1 + np.exp(-x)) if loss == "sigmoid" else x
    n = 2 * (p * t).sum() + EPS
    d = p.sum() + t.sum() + EPS
    g = n / (d * d) - 2 * t / d
    return 1 - n / d, g * p * (1 - p) if loss == "sigmoid" else g


for line in sys.stdin:
    request = json.loads(line)
    try:
        torch.set_num_threads(request["threads"])
        x, t, tx, tt = data(request["loss"], request["entries"])
        began = time.perf_counter()
        if request["library"] == "torch":
            value, gradient = by_torch(request["loss"], tx, tt)
        else:
            value, gradient = by_numpy(request["loss"], x, t)
        ms = (time.perf_counter() - began) * 1000
        del gradient
        answer = {"ms": ms, "loss": float(value)}
    except (RuntimeError, MemoryError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
