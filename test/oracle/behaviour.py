"""Gradients by PyTorch's autograd along the paths of the plots, from the rules that their notes give."""

import json
import sys

import numpy as np
import torch

with open(sys.argv[1], encoding="utf-8") as file:
    case = json.load(file)

namespace = {}
exec(compile(case["source"], "losses.py", "exec"), namespace)
loss = namespace[case["callable"]]
shape = case["shape"]
prediction = np.array(case["prediction"]).reshape(shape)
target = np.array(case["target"]).reshape(shape)
foreground = target > 0.5


def gradient(p, t, **options):
    x = torch.tensor(p, dtype=torch.float64, requires_grad=True)
    loss(x, torch.tensor(t, dtype=torch.float64), **options).backward()
    return x.grad.numpy()


def moved(by):
    """Logits moved by as much, or log-odds."""
    if case["isLogits"]:
        return prediction + by
    return 1 / (1 + np.exp(-(np.log(prediction) - np.log1p(-prediction) + by)))


def order(position):
    return (position * 2654435761) % 2**32


def taken_away(left, follows):
    """Prediction, target and the marks of what is left and of what never was foreground."""
    p, t = prediction.copy(), target.copy()
    if case["oneHot"]:
        # Voxels in row-major order without the class axis; class 0 is the background.
        marks = np.moveaxis(foreground, 1, -1)[..., 1:].any(axis=-1)
        classes = shape[1]
    else:
        marks = foreground
    positions = sorted(np.flatnonzero(marks), key=order)
    gone = np.zeros(marks.size, dtype=bool)
    gone[positions[left:]] = True
    gone = gone.reshape(marks.shape)
    if not case["oneHot"]:
        if follows:
            outside = np.sort(prediction[~foreground])
            p[gone] = outside[(outside.size - 1) // 2]
        t[gone] = 0
        return p, t, foreground & ~gone, ~foreground
    p, t = np.moveaxis(p, 1, -1).copy(), np.moveaxis(t, 1, -1).copy()
    t[gone] = np.eye(classes)[0]
    if follows:
        for c in range(classes):
            outside = np.sort(np.moveaxis(prediction, 1, -1)[~marks][:, c])
            p[gone, c] = outside[(outside.size - 1) // 2]
    left_marks = np.moveaxis(foreground, 1, -1) & (marks & ~gone)[..., None]
    outside_marks = np.broadcast_to(~marks[..., None], left_marks.shape)
    back = lambda a: np.moveaxis(a, -1, 1)  # noqa: E731
    return back(p), back(t), back(left_marks), back(outside_marks)


def mean_magnitude(g, marks):
    return float(np.abs(g[marks]).mean()) if marks.any() else None


def finite(x):
    return None if x is None or not np.isfinite(x) else float(x)


def at(chart, x, options):
    """Values by group at one place of a chart."""
    name = chart["id"]
    if name.startswith("one-"):
        p = prediction.copy()
        index = tuple(chart["element"])
        p[index] = x
        return {name[4:]: float(gradient(p, target, **options)[index])}
    if name in ("together", "target"):
        by = np.where(foreground, x, -x) if name == "target" else x
        g = gradient(moved(by), target, **options)
        return {
            "foreground": mean_magnitude(g, foreground),
            "background": mean_magnitude(g, ~foreground),
        }
    p, t, left, outside = taken_away(int(x), name == "following")
    g = gradient(p, t, **options)
    return {"foreground": mean_magnitude(g, left), "background": mean_magnitude(g, outside)}


def measured(chart):
    series = []
    roles = [("gradient", {})]
    if case["smoothing"]:
        roles.append(("without-smoothing", {"smooth": 0.0}))
    for role, options in roles:
        rows = [at(chart, x, options) for x in chart["at"]]
        for group in rows[0]:
            values = [finite(row[group]) for row in rows]
            series.append({"role": role, "group": group, "values": values})
    return {"id": chart["id"], "series": series}


print(json.dumps([measured(chart) for chart in case["charts"]]))
