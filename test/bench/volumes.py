"""The other side of volumes.ts: losses and gradients by PyTorch, NumPy and C, timed here.

Reads one JSON object a line: {"library", "loss", "entries", "threads"}; answers with
{"ms", "loss"}, or {"error"}. Arrays are made once for each loss and size and reused. torch.compile
and C need a C++ and a C compiler; where they are missing their answers are errors.
"""

import ctypes
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
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
        arrays[key] = (x, t, torch.from_numpy(x), torch.from_numpy(t), np.zeros_like(x))
    return arrays[key]


def torch_loss(loss, x, t):
    if loss == "softmax":
        p = torch.softmax(x, dim=0)
        dice = (2 * (p * t).sum(1) + EPS) / (p.sum(1) + t.sum(1) + EPS)
        return 1 - dice.mean()
    p = torch.sigmoid(x) if loss == "sigmoid" else x
    return 1 - (2 * (p * t).sum() + EPS) / (p.sum() + t.sum() + EPS)


def by_torch(loss, x, t, compute=torch_loss):
    x = x.detach().requires_grad_()
    value = compute(loss, x, t)
    value.backward()
    return value.item(), x.grad


def by_hand(loss, x, t):
    """What people check a gradient by: autograd in float64 beside one central difference."""
    x, t = x.double(), t.double()
    value, gradient = by_torch(loss, x, t)
    step = 1e-4 * gradient.sign()
    with torch.no_grad():
        difference = (torch_loss(loss, x + step, t) - torch_loss(loss, x - step, t)) / 2
    claim = (gradient * step).sum()
    if not abs(difference - claim) <= 1e-3 * abs(claim):
        raise RuntimeError(f"the gradient claims {claim}, the loss moves by {difference}")
    return value, gradient


compiled = torch.compile(torch_loss)


def by_compiled(loss, x, t):
    def compute(loss, x, t):
        # One compilation serves all sizes.
        for a in (x, t):
            torch._dynamo.mark_dynamic(a, a.dim() - 1)
        return compiled(loss, x, t)

    return by_torch(loss, x, t, compute)


loops = None


def by_c(loss, x, t, out):
    """Of volumes.c, or with the suffix _avx512 of volumes_avx512.c."""
    global loops
    if loops is None:
        compiler = shutil.which("gcc")
        if compiler is None:
            raise RuntimeError("there is no gcc")
        here = pathlib.Path(__file__).parent
        sources = [here / "volumes.c", here / "volumes_avx512.c"]
        target = pathlib.Path(tempfile.mkdtemp()) / "volumes.so"
        command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", *sources, "-o", target, "-lm"]
        subprocess.run(command, check=True)
        loops = ctypes.CDLL(str(target))
        shutil.rmtree(target.parent)
    try:
        function = loops[loss]
    except AttributeError:
        raise RuntimeError(f"the processor has nothing for {loss}") from None
    function.restype = ctypes.c_double
    pointers = [ctypes.c_void_p(a.ctypes.data) for a in (x, t, out)]
    return function(*pointers, ctypes.c_size_t(x.size)), out


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
        x, t, tx, tt, out = data(request["loss"], request["entries"])
        began = time.perf_counter()
        match request["library"]:
            case "torch":
                value, gradient = by_torch(request["loss"], tx, tt)
            case "check":
                value, gradient = by_hand(request["loss"], tx, tt)
            case "compiled":
                value, gradient = by_compiled(request["loss"], tx, tt)
            case "c":
                value, gradient = by_c(request["loss"], x, t, out)
            case "avx512":
                value, gradient = by_c(request["loss"] + "_avx512", x, t, out)
            case _:
                value, gradient = by_numpy(request["loss"], x, t)
        ms = (time.perf_counter() - began) * 1000
        del gradient
        answer = {"ms": ms, "loss": float(value)}
    except (RuntimeError, MemoryError, OSError, subprocess.CalledProcessError) as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
