"""Gradients of the example losses by real PyTorch autograd in float64, on the example's arrays.

usage: example_gradients.py OUTPUT_FOLDER
Writes one .npy a loss and prints {"torch": version, "losses": {name: value}} as JSON.

The functions are those of media/example/losses.py themselves. The NumPy ones are made
differentiable by giving their module a `np` whose sum is torch.sum; nothing else of them changes.
"""

import importlib.util
import json
import pathlib
import sys
import types

import numpy as np
import torch

root = pathlib.Path(__file__).resolve().parents[2]
out = pathlib.Path(sys.argv[1])

spec = importlib.util.spec_from_file_location("losses", root / "media/example/losses.py")
losses = importlib.util.module_from_spec(spec)
spec.loader.exec_module(losses)
losses.np = types.SimpleNamespace(sum=torch.sum)

volume = np.load(root / "media/example/volume.npz")
mask = torch.from_numpy(volume["mask"].astype(np.float64))
probability = torch.from_numpy(volume["probability"].astype(np.float64))
logits = torch.from_numpy(volume["logits"].astype(np.float64))

cases = {
    "dice_loss_plain": (lambda x: losses.dice_loss_plain(mask, x), probability),
    "dice_loss_smooth": (lambda x: losses.dice_loss_smooth(mask, x), probability),
    "dice_loss_torch": (lambda x: losses.dice_loss_torch(x, mask), logits),
    "DiceLoss(smooth=1.0)": (lambda x: losses.DiceLoss(smooth=1.0)(x, mask), logits),
}
values = {}
for name, (loss, at) in cases.items():
    x = at.clone().requires_grad_(True)
    value = loss(x)
    value.backward()
    values[name] = value.item()
    np.save(out / f"{name}.npy", x.grad.numpy())
print(json.dumps({"torch": torch.__version__, "losses": values}))
