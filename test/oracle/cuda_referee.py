"""Real autograd as the referee, on the CPU and on CUDA, against a plain script's runs bit for bit.

    python test/oracle/cuda_referee.py [--require-cuda]

Stands alone: PyTorch, NumPy and media/python/autograd_server.py are all that it needs. A few losses
run through the server's own protocol, twice on each device, and once in a script of their own that
knows nothing of the server. Loss and gradient must be the same bits. What the devices differ by from
one another is reported in units in the last place; it is no failure, they add up in another order.

Prints a JSON summary. Exit code 1 when anything differs, or when CUDA is required and missing.
"""

import argparse
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import time

import numpy as np

SERVER = pathlib.Path(__file__).resolve().parents[2] / "media" / "python" / "autograd_server.py"

LOSSES = """import torch
import torch.nn.functional as F


def sigmoid_dice(logits, target, smooth=1e-5):
    p = torch.sigmoid(logits)
    dims = (2, 3)
    score = (2 * (p * target).sum(dims) + smooth) / (p.sum(dims) + target.sum(dims) + smooth)
    return (1 - score).mean()


def softmax_dice(logits, labels, eps=1e-7):
    p = F.softmax(logits, dim=1)
    y = F.one_hot(labels, logits.shape[1]).movedim(-1, 1).to(p.dtype)
    dims = (0, 2, 3)
    cardinality = (p + y).sum(dims)
    score = 2 * (p * y).sum(dims) / cardinality.clamp_min(eps)
    return (1 - score)[1:].mean()


def focal_tversky(logits, target, alpha=0.3, beta=0.7, gamma=0.75):
    p = logits.sigmoid().flatten(1)
    y = target.flatten(1)
    tp = (p * y).sum(1)
    fp = (p * (1 - y)).sum(1)
    fn = ((1 - p) * y).sum(1)
    return ((1 - (tp + 1) / (tp + alpha * fp + beta * fn + 1)) ** gamma).mean()


class DiceWithCrossEntropy(torch.nn.Module):
    def __init__(self, weight=0.5):
        super().__init__()
        self.weight = weight

    def forward(self, logits, target):
        dice = sigmoid_dice(logits, target, smooth=1.0)
        bce = F.binary_cross_entropy_with_logits(logits, target)
        return self.weight * dice + (1 - self.weight) * bce


def squared_log_cosh(logits, target):
    p = torch.sigmoid(logits)
    score = (2 * (p * target).sum() + 1) / ((p**2).sum() + (target**2).sum() + 1)
    return torch.log(torch.cosh(1 - score))
"""

# name, Python of the callable, type of the logits, shape, classes of a label map or None for a mask
CASES = [
    ("sigmoid Dice", "sigmoid_dice", "float32", (2, 3, 37, 41), None),
    ("sigmoid Dice", "sigmoid_dice", "float64", (2, 3, 37, 41), None),
    ("sigmoid Dice", "sigmoid_dice", "float16", (2, 3, 16, 16), None),
    ("sigmoid Dice", "sigmoid_dice", "bfloat16", (2, 3, 16, 16), None),
    ("softmax Dice of label maps", "softmax_dice", "float32", (2, 4, 64, 64), 4),
    ("focal Tversky", "focal_tversky", "float32", (3, 1, 128, 128), None),
    ("Dice and cross-entropy, a module", "DiceWithCrossEntropy()", "float32", (2, 1, 256, 256), None),
    ("log-cosh of squared Dice", "squared_log_cosh", "float64", (1, 1, 16, 64, 64), None),
]

# The plain script: it reads arrays, differentiates, and writes loss and gradient as they are.
PLAIN = """
import json
import sys
import numpy as np
import torch
sys.path.insert(0, sys.argv[1])
from losses import *

folder, device = sys.argv[1:3]
for k, (name, function, dtype, shape, classes) in enumerate(json.loads(sys.argv[3])):
    logits = torch.from_numpy(np.load(f"{folder}/{k}.logits.npy"))
    if dtype == "bfloat16":
        logits = logits.view(torch.bfloat16)
    logits = logits.to(device).requires_grad_()
    target = torch.from_numpy(np.load(f"{folder}/{k}.target.npy"))
    if classes is None:
        target = target.to(logits.dtype)
    loss = eval(function)(logits, target.to(device))
    loss.backward()
    for what, tensor in (("loss", loss.detach()), ("gradient", logits.grad)):
        tensor = tensor.cpu()
        if dtype in ("float16", "bfloat16"):
            tensor = tensor.float()
        np.save(f"{folder}/{k}.{device}.{what}.npy", tensor.numpy())
"""


class Server:
    """The referee's process, spoken to as the extension speaks to it."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.python = self.read()[0]["python"]
        self.requests = 0

    def read(self):
        (length,) = struct.unpack("<I", self.bytes(4))
        header = json.loads(self.bytes(length))
        arrays = [
            np.frombuffer(self.bytes(a["bytes"]), a["dtype"]).reshape(a["shape"])
            for a in header["arrays"]
        ]
        return header, arrays

    def bytes(self, count):
        data = self.process.stdout.read(count)
        if len(data) < count:
            raise SystemExit(f"the server ended with code {self.process.wait()}")
        return data

    def run(self, request, arrays):
        """The answer to a request of {dtype: array} pairs, and how long it took."""
        self.requests += 1
        described = [{"dtype": d, "shape": list(a.shape), "bytes": a.nbytes} for d, a in arrays]
        text = json.dumps({"kind": "run", "id": self.requests, **request, "arrays": described}).encode()
        began = time.perf_counter()
        pipe = self.process.stdin
        pipe.write(struct.pack("<I", len(text)) + text)
        for _, array in arrays:
            pipe.write(array.tobytes())
        pipe.flush()
        while True:
            header, answered = self.read()
            if header["kind"] != "progress":
                return header, answered, time.perf_counter() - began

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def arrays_of(case, rng):
    """Logits and a mask or label map, each as the request names its type; bfloat16 as its bits."""
    _, _, dtype, shape, classes = case
    logits = rng.normal(size=shape)
    if dtype == "bfloat16":
        logits = (logits.astype("float32").view("uint32") >> 16).astype("int16")
    else:
        logits = logits.astype(dtype)
    if classes is None:
        # A mask is 0 and 1, which every type has exactly; it goes in the type of the logits.
        mask = rng.uniform(size=shape) < 0.3
        sent = (mask * np.uint16(0x3F80)) if dtype == "bfloat16" else mask.astype(dtype)
        return logits, mask, [(dtype, logits), (dtype, sent)]
    labels = rng.integers(0, classes, size=(shape[0], *shape[2:]))
    return logits, labels, [(dtype, logits), ("int64", labels)]


def ulps_apart(a, b, dtype):
    """The largest distance of two arrays' elements, in units in the last place of the larger."""
    digits = {"float64": 53, "float32": 24, "float16": 11, "bfloat16": 8}[dtype]
    a, b = a.astype("float64"), b.astype("float64")
    size = np.maximum(np.abs(a), np.abs(b))
    spacing = np.exp2(np.floor(np.log2(np.where(size > 0, size, 1))) - (digits - 1))
    return float(np.max(np.abs(a - b) / spacing))


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def run_on(server, device, folder, given):
    """Each case's answer, its repetition, and their seconds; or the server's refusal of the device."""
    answers = []
    for (name, function, *_), (_, _, arrays) in zip(CASES, given):
        request = {
            "backend": "torch",
            "device": device,
            "folder": folder,
            "sources": [{"file": "losses.py", "text": LOSSES, "isCell": False}],
            "writtenFor": "torch",
            "callable": function,
            "positional": [{"kind": "array", "index": 0}, {"kind": "array", "index": 1}],
            "keywords": {},
            "wrt": 0,
        }
        first = server.run(request, arrays)
        header = first[0]
        if header["kind"] == "failure":
            if device == "cuda" and "no CUDA device" in header["error"]:
                return header["error"]
            raise SystemExit(f"{name} on {device}: {header['error']}\n{header['traceback']}")
        answers.append((first, server.run(request, arrays)))
    return answers


def judged(k, device, answer, folder, cpu_gradient):
    """What is said of one case on one device, and whether all is as it should be."""
    (header, (loss, gradient), first), (_, (loss2, gradient2), warm) = answer
    plain = [np.load(f"{folder}/{k}.{device}.{what}.npy") for what in ("loss", "gradient")]
    name, _, dtype, shape, _ = CASES[k]
    entry = {
        "loss": name,
        "dtype": dtype,
        "elements": int(np.prod(shape)),
        "device": header["device"],
        "value": float(loss),
        "loss as plain": same_bits(loss, plain[0]),
        "gradient as plain": same_bits(gradient, plain[1]),
        "elements that differ": int(np.sum(gradient != plain[1])),
        "repeats": same_bits(loss, loss2) and same_bits(gradient, gradient2),
        "ulps from the CPU": round(ulps_apart(gradient, cpu_gradient, dtype), 2),
        "first seconds": round(first, 3),
        "warm seconds": round(warm, 4),
    }
    return entry, entry["loss as plain"] and entry["gradient as plain"] and entry["repeats"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--require-cuda", action="store_true", help="fail where CUDA is missing")
    require_cuda = parser.parse_args().require_cuda
    rng = np.random.default_rng(7)
    refusal, entries, good = None, [], True
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "losses.py").write_text(LOSSES)
        given = [arrays_of(case, rng) for case in CASES]
        for k, (logits, target, _) in enumerate(given):
            np.save(f"{folder}/{k}.logits.npy", logits)
            np.save(f"{folder}/{k}.target.npy", target)
        server = Server()
        on_cpu = run_on(server, "cpu", folder, given)
        for device in ("cpu", "cuda"):
            answers = on_cpu if device == "cpu" else run_on(server, device, folder, given)
            if isinstance(answers, str):
                refusal = answers
                good = good and not require_cuda
                break
            argv = [sys.executable, "-c", PLAIN, folder, device, json.dumps(CASES)]
            subprocess.run(argv, check=True)
            for k, answer in enumerate(answers):
                entry, is_good = judged(k, device, answer, folder, on_cpu[k][0][1][1])
                entries.append(entry)
                good = good and is_good
        server.close()
    summary = {
        "python": server.python,
        "numpy": np.__version__,
        "torch": on_cpu[0][0][0]["version"],
        "cuda": refusal or "ran",
        "same bits everywhere": good,
    }
    print(json.dumps(summary)[:-1] + ', "cases": [')
    print(",\n".join(json.dumps(entry) for entry in entries) + "\n]}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
