"""The traps of the catalogue, each as a claim that the real library settles.

usage: traps.py
Prints {"library": {"trap": "" or what is wrong}}. A claim runs the library in float64 on small
arrays; where a trap belongs to versions before the installed one, what those did is written out
from the library's own parts, and the claim is that it has the effect which the trap names.
"""

import importlib.util
import json
import multiprocessing
import os
import re
import sys
import tempfile
import traceback
import warnings

import catalogue_libraries

warnings.filterwarnings("ignore")

CLAIMS = {}


def claim(library, *traps):
    def add(function):
        for trap in traps:
            CLAIMS.setdefault(library, {})[trap] = function
        return function

    return add


class Bench:
    """Arrays and small helpers; `self.names` holds the libraries by their first names."""

    def __init__(self, torch):
        self.torch = torch
        generator = torch.Generator().manual_seed(7)
        draw = lambda *shape: torch.rand(shape, generator=generator, dtype=torch.float64)
        self.logits = 4 * draw(2, 3, 4, 5) - 2
        self.probabilities = draw(2, 3, 4, 5)
        self.labels = (3 * draw(2, 4, 5)).long().clamp(0, 2)
        self.onehot = torch.nn.functional.one_hot(self.labels, 3).movedim(-1, 1).double()
        self.mask = (draw(2, 1, 4, 5) > 0.4).double()

    def gradient(self, f, x):
        x = x.clone().requires_grad_(True)
        loss = f(x)
        if not loss.requires_grad:
            return self.torch.zeros_like(x)
        return self.torch.autograd.grad(loss.sum(), x)[0]

    def same(self, a, b):
        torch = self.torch
        a, b = torch.as_tensor(a).detach(), torch.as_tensor(b).detach()
        return a.shape == b.shape and bool(torch.allclose(a, b, rtol=1e-12, atol=1e-15))


def softmax_mae(b):
    """1 minus the mean probability of the right class."""
    return lambda z: 1 - (z.softmax(1) * b.onehot).sum(1).mean()


# Kornia


@claim("kornia", "micro-softmax-is-not-dice")
def _(b, kornia):
    dice = kornia.losses.DiceLoss(eps=0.0)
    f = lambda z: dice(z, b.labels)
    assert b.same(f(b.logits), softmax_mae(b)(b.logits))
    assert b.same(b.gradient(f, b.logits), b.gradient(softmax_mae(b), b.logits))


@claim("kornia", "denominator-only-epsilon")
def _(b, kornia):
    def before(z, t):  # the macro Dice of kornia 0.8.3
        p = z.softmax(1)
        score = 2 * (p * t).sum((2, 3)) / (p.sum((2, 3)) + t.sum((2, 3)) + 1e-8)
        return 1 - score

    without_last = b.onehot.clone()
    without_last[:, 2] = 0
    assert b.same(before(b.logits, without_last)[:, 2], b.torch.ones(2))
    alone = lambda z: before(z, without_last)[:, 2]
    assert b.same(b.gradient(alone, b.logits), b.torch.zeros_like(b.logits))
    # Version 0.9 leaves that class out of the mean.
    labels = b.labels.clamp(max=1)
    now = kornia.losses.dice_loss(b.logits, labels, average="macro")
    assert not b.same(now, before(b.logits, without_last).mean())


@claim("kornia", "kornia-macro-classes-present")
def _(b, kornia):
    labels = b.labels.clamp(max=1)
    onehot = b.torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).double()
    p = b.logits.softmax(1)
    score = 2 * (p * onehot).sum((2, 3)) / (p.sum((2, 3)) + onehot.sum((2, 3)))
    own = (1 - score[:, :2]).mean()
    assert b.same(kornia.losses.dice_loss(b.logits, labels, average="macro", eps=0.0), own)
    tversky = kornia.losses.tversky_loss(b.logits, labels, alpha=0.5, beta=0.5, eps=0.0)
    assert b.same(tversky, own)


@claim("kornia", "kornia-tversky-only-the-sum-counts")
def _(b, kornia):
    def before(z, alpha, beta):  # kornia 0.8.3
        p, t = z.softmax(1), b.onehot
        tp, fp = (p * t).sum((1, 2, 3)), (p * (1 - t)).sum((1, 2, 3))
        fn = ((1 - p) * t).sum((1, 2, 3))
        return 1 - (tp / (tp + alpha * fp + beta * fn)).mean()

    one, other = (b.gradient(lambda z: before(z, *w), b.logits) for w in ((0.3, 0.7), (0.9, 0.1)))
    assert b.same(one, other)
    now = lambda alpha, beta: kornia.losses.tversky_loss(b.logits, b.labels, alpha, beta)
    assert not b.same(now(0.3, 0.7), now(0.9, 0.1))


# Keras


def last(a):
    return a.movedim(1, -1)


@claim("keras", "keras-tversky-swapped")
def _(b, keras):
    p, t = last(b.probabilities), last(b.onehot)
    tp, fp, fn = (p * t).sum(), (p * (1 - t)).sum(), ((1 - p) * t).sum()
    loss = keras.losses.Tversky(alpha=0.3, beta=0.7)(t, p)
    assert b.same(loss, 1 - tp / (tp + 0.3 * fn + 0.7 * fp + 1e-7))


@claim("keras", "keras-axis-none")
def _(b, keras):
    p, t = last(b.logits.softmax(1)), last(b.onehot)
    dice = keras.losses.Dice()
    assert b.same(dice(t, p), 1 - 2 * (p * t).sum() / (p.sum() + t.sum() + 1e-7))
    f = lambda z: dice(t, last(z.softmax(1)))
    g, h = b.gradient(f, b.logits), b.gradient(softmax_mae(b), b.logits)
    assert b.torch.allclose(g, h, rtol=1e-7)


@claim("keras", "denominator-only-epsilon")
def _(b, keras):
    empty = b.torch.zeros_like(last(b.onehot))
    f = lambda p: keras.losses.Dice()(empty, p)
    p = last(b.probabilities)
    assert b.same(f(p), 1.0) and b.same(b.gradient(f, p), b.torch.zeros_like(p))


@claim("keras", "keras-expects-probabilities")
def _(b, keras):
    z, t = last(b.logits), last(b.onehot)
    assert b.same(keras.losses.Dice()(t, z), 1 - 2 * (z * t).sum() / (z.sum() + t.sum() + 1e-7))


# MONAI


@claim("monai", "monai-no-activation")
def _(b, monai):
    z, t = -b.probabilities, b.onehot
    n, u = 2 * (z * t).sum((2, 3)), z.sum((2, 3)) + t.sum((2, 3))
    assert b.same(monai.losses.DiceLoss()(z, t), (1 - (n + 1e-5) / (u + 1e-5)).mean())
    assert bool((u < 0).any())


@claim("monai", "monai-weights-not-normalized")
def _(b, monai):
    def g(factor):
        weight = [1.0 * factor, 2.0 * factor, 3.0 * factor]
        loss = monai.losses.DiceLoss(sigmoid=True, weight=weight)
        return b.gradient(lambda z: loss(z, b.onehot), b.logits)

    assert b.same(g(2), 2 * g(1))


@claim("monai", "background-gradient-through-softmax")
def _(b, monai):
    loss = monai.losses.DiceLoss(softmax=True, include_background=False)
    assert bool((b.gradient(lambda z: loss(z, b.onehot), b.logits)[:, 0] != 0).all())
    loss = monai.losses.DiceLoss(sigmoid=True, include_background=False)
    assert bool((b.gradient(lambda z: loss(z, b.onehot), b.logits)[:, 0] == 0).all())


@claim("monai", "monai-jaccard-half-smoothing")
def _(b, monai):
    p, t = b.probabilities, b.onehot
    i = (p * t).sum((2, 3))
    own = 1 - (i + 0.5) / (p.sum((2, 3)) + t.sum((2, 3)) - i + 0.5)
    loss = monai.losses.DiceLoss(jaccard=True, smooth_nr=1.0, smooth_dr=1.0)
    assert b.same(loss(p, t), own.mean())


@claim("monai", "monai-gdl-absent-class-weight")
def _(b, monai):
    t = b.onehot.clone()
    t[:, 2] = 0
    p = b.probabilities
    volume = t.sum((2, 3))
    w = (1 / volume**2).masked_fill(volume == 0, 0)
    w[:, 2] = w.max(1).values
    n, u = (w * (p * t).sum((2, 3))).sum(1), (w * (p + t).sum((2, 3))).sum(1)
    loss = monai.losses.GeneralizedDiceLoss()
    assert b.same(loss(p, t), (1 - (2 * n + 1e-5) / (u + 1e-5)).mean())
    nothing = b.torch.zeros_like(t)
    assert b.same(b.gradient(lambda q: loss(q, nothing), p), b.torch.zeros_like(p))


@claim("monai", "tversky-smoothing-counts-double")
def _(b, monai):
    tversky = monai.losses.TverskyLoss(smooth_nr=1.0, smooth_dr=1.0)
    dice = lambda s: monai.losses.DiceLoss(smooth_nr=s, smooth_dr=s)
    p, t = b.probabilities, b.onehot
    assert b.same(tversky(p, t), dice(2.0)(p, t)) and not b.same(tversky(p, t), dice(1.0)(p, t))


@claim("monai", "monai-mask-before-activation")
def _(b, monai):
    # What MaskedDiceLoss was up to 1.5.2: MaskedLoss around a Dice loss with its activation.
    before = monai.losses.MaskedLoss(monai.losses.DiceLoss, sigmoid=True)
    now = monai.losses.MaskedDiceLoss(sigmoid=True)
    z, t, m = b.logits, b.onehot, b.mask
    assert before(z, t, m) > now(z, t, m)
    half = b.torch.sigmoid(z) * m + 0.5 * (1 - m)
    assert b.same(before(z, t, m), monai.losses.DiceLoss()(half, t * m))
    third = z.softmax(1) * m + (1 - m) / 3
    softmax = monai.losses.MaskedLoss(monai.losses.DiceLoss, softmax=True)
    assert b.same(softmax(z, t, m), monai.losses.DiceLoss()(third, t * m))
    g = [b.gradient(lambda y: f(y, t, m), z).abs().sum() for f in (before, now)]
    assert g[0] < g[1]


@claim("monai", "monai-dicece-two-weightings")
def _(b, monai):
    weight = b.torch.tensor([1.0, 2.0, 3.0])
    labels = b.labels.unsqueeze(1)

    def dice(w):
        return monai.losses.DiceLoss(softmax=True, to_onehot_y=True, weight=w)(b.logits, labels)

    def ce(w):
        both = monai.losses.DiceCELoss(softmax=True, to_onehot_y=True, weight=w)
        return both(b.logits, labels) - dice(w)

    assert b.same(ce(2 * weight), ce(weight)) and b.same(dice(2 * weight), 2 * dice(weight))


@claim("monai", "monai-dicece-background-in-ce")
def _(b, monai):
    options = {"softmax": True, "include_background": False}
    both = monai.losses.DiceCELoss(**options)(b.logits, b.onehot)
    dice = monai.losses.DiceLoss(**options)(b.logits, b.onehot)
    ce = b.torch.nn.functional.cross_entropy(b.logits, b.labels)
    assert b.same(both - dice, ce)


@claim("monai", "monai-focal-sum-is-a-mean-over-space")
def _(b, monai):
    options = {"sigmoid": True, "reduction": "sum"}
    both = monai.losses.DiceFocalLoss(**options)(b.logits, b.onehot)
    focal = both - monai.losses.DiceLoss(**options)(b.logits, b.onehot)
    each = monai.losses.FocalLoss(reduction="none")(b.logits, b.onehot)
    assert b.same(focal, each.mean((2, 3)).sum()) and not b.same(focal, each.sum())


@claim("monai", "monai-focal-is-sigmoid")
def _(b, monai):
    both = monai.losses.DiceFocalLoss(softmax=True)(b.logits, b.onehot)
    focal = both - monai.losses.DiceLoss(softmax=True)(b.logits, b.onehot)
    p, t = b.logits.sigmoid(), b.onehot
    right = p * t + (1 - p) * (1 - t)
    assert b.same(focal, (-((1 - right) ** 2) * right.log()).mean())


# segmentation_models_pytorch, torchseg and pytorch-toolbelt


for package in ("segmentation_models_pytorch", "torchseg", "pytorch_toolbelt"):

    @claim(package, "absent-class-keeps-its-share")
    def _(b, library):
        labels = b.labels.clamp(max=1)
        p = b.logits.softmax(1)
        t = b.torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).double()
        score = 2 * (p * t).sum((0, 2, 3)) / (p + t).sum((0, 2, 3))
        loss = library.losses.DiceLoss(mode="multiclass")(b.logits, labels)
        assert b.same(loss, (1 - score[:2]).sum() / 3)

    @claim(package, "smp-batch-dice")
    def _(b, library):
        loss = library.losses.DiceLoss(mode="multilabel")
        whole = b.gradient(lambda z: loss(z, b.onehot), b.logits)[0]
        alone = b.gradient(lambda z: loss(z, b.onehot[:1]), b.logits[:1])[0]
        assert not b.same(whole, alone / 2)
        p = b.logits.sigmoid()
        i, u = (p * b.onehot).sum((0, 2, 3)), (p + b.onehot).sum((0, 2, 3))
        assert b.same(loss(b.logits, b.onehot), (1 - 2 * i / u).mean())

    @claim(package, "clamped-denominator")
    def _(b, library):
        loss = library.losses.DiceLoss(mode="multilabel", eps=1e3)
        t = b.onehot
        g = b.gradient(lambda z: loss(z, t), b.logits)
        # Below the limit the background has no gradient at all.
        assert bool((g[t == 0] == 0).all()) and bool((g[t == 1] < 0).all())


SMP = "segmentation_models_pytorch"


@claim(SMP, "smp-smoothing-counts-double")
def _(b, smp):
    p, t = b.logits.sigmoid(), b.onehot
    score = (2 * (p * t).sum((0, 2, 3)) + 2.0) / ((p + t).sum((0, 2, 3)) + 2.0)
    loss = smp.losses.DiceLoss(mode="multilabel", smooth=1.0)
    assert b.same(loss(b.logits, t), (1 - score).mean())


@claim(SMP, "smp-l1-overlap")
def _(b, smp):
    p = b.probabilities
    loss = smp.losses.DiceLoss(mode="multilabel", from_logits=False)
    i = (p + b.onehot - (p - b.onehot).abs()).sum((0, 2, 3)) / 2
    assert b.same(loss(p, b.onehot), (1 - 2 * i / (p + b.onehot).sum((0, 2, 3))).mean())
    assert b.same(loss(p, p), 0.0)


@claim(SMP, "smp-gamma-after-mean")
@claim("torchseg", "smp-gamma-after-mean")
def _(b, library):
    one, two = (
        library.losses.TverskyLoss(mode="multilabel", gamma=g)(b.logits, b.onehot) for g in (1.0, 2.0)
    )
    assert b.same(two, one**2)


@claim("pytorch_toolbelt", "toolbelt-classes-list-is-a-shape")
def _(b, library):
    made = library.losses.DiceLoss(mode="multilabel", classes=[2, 3])
    assert tuple(made.classes.shape) == (2, 3)


# nnU-Net


@claim("nnunetv2", "nnunet-negative-score")
def _(b, nnunetv2):
    dice = nnunetv2.training.loss.dice.SoftDiceLoss(apply_nonlin=b.torch.sigmoid)
    p, t = b.logits.sigmoid(), b.onehot
    score = (2 * (p * t).sum((2, 3)) + 1) / ((p + t).sum((2, 3)) + 1)
    assert b.same(dice(b.logits, t), -score.mean())
    f = lambda z: dice(z, t)
    assert b.same(b.gradient(f, b.logits), b.gradient(lambda z: 1 + f(z), b.logits))


@claim("nnunetv2", "nnunet-trainer-defaults")
def _(b, nnunetv2):
    root = os.path.dirname(importlib.util.find_spec("nnunetv2").origin)
    with open(os.path.join(root, "training/nnUNetTrainer/nnUNetTrainer.py")) as file:
        source = file.read()
    build = source[source.index("def _build_loss") :]
    softmax = build[build.index("DC_and_CE_loss(") :]
    given = softmax[: softmax.index("{}")]
    assert re.search(r"'batch_dice': self\.configuration_manager\.batch_dice", given)
    assert re.search(r"'smooth': 1e-5", given) and re.search(r"'do_bg': False", given)


@claim("nnunetv2", "nnunet-clip-tp")
def _(b, nnunetv2):
    dice = nnunetv2.training.loss.dice.SoftDiceLoss(
        apply_nonlin=b.torch.sigmoid, smooth=0.0, clip_tp=100.0
    )
    # The overlap is a constant below the limit; fp and fn are left.
    t = b.onehot
    g = b.gradient(lambda z: dice(z, t), b.logits)
    p = b.logits.sigmoid()
    u = 200 + (p * (1 - t)).sum((2, 3), True) + ((1 - p) * t).sum((2, 3), True)
    inner = 200 / u**2 * (1 - 2 * t) / 6
    assert b.same(g, inner * p * (1 - p))


def nnunet_process(b, nnunetv2, rank, file, results):
    torch = b.torch
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{file}", rank=rank, world_size=2
    )
    dice = nnunetv2.training.loss.dice.MemoryEfficientSoftDiceLoss(
        apply_nonlin=torch.sigmoid, batch_dice=True, ddp=True
    )
    own = slice(rank, rank + 1)
    results.put(dice(b.logits[own], b.onehot[own]).item())
    torch.distributed.destroy_process_group()


@claim("nnunetv2", "nnunet-batch-dice-across-processes")
def _(b, nnunetv2):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "meeting")
        given = [(b, nnunetv2, rank, file, results) for rank in (0, 1)]
        processes = [context.Process(target=nnunet_process, args=a) for a in given]
        for p in processes:
            p.start()
        losses = [results.get(timeout=120) for _ in processes]
        for p in processes:
            p.join()
    dice = nnunetv2.training.loss.dice.MemoryEfficientSoftDiceLoss(
        apply_nonlin=b.torch.sigmoid, batch_dice=True, ddp=False
    )
    whole = dice(b.logits, b.onehot)
    assert all(b.same(b.torch.tensor(x), whole) for x in losses)


# MMSegmentation and MMDetection


@claim("mmsegmentation", "mmseg-ignore-index-is-a-channel")
def _(b, mmseg):
    labels = b.labels.clone()
    labels[:, 0] = 255
    loss = mmseg.models.losses.DiceLoss()
    onehot = b.onehot.clone()
    onehot[:, :, 0] = 0
    assert b.same(loss(b.logits, labels), loss(b.logits, onehot))
    assert bool((b.gradient(lambda z: loss(z, labels), b.logits)[:, :, 0] != 0).all())
    without = mmseg.models.losses.DiceLoss(ignore_index=1)
    g = b.gradient(lambda z: without(z, b.labels), b.logits)
    assert bool((g[:, 1] == 0).all())


@claim("mmsegmentation", "mmseg-mask-in-the-numerator-only")
def _(b, mmseg):
    labels = b.labels.clone()
    labels[:, 0] = 255

    def before(z):  # mmsegmentation 1.0
        p, t = z.softmax(1), b.torch.nn.functional.one_hot(labels.clamp(0, 2), 3).movedim(-1, 1)
        m = (labels != 255).unsqueeze(1)
        n = 2 * (p * t * m).sum((2, 3)) + 1
        return (1 - n / ((p**2 + t**2).sum((2, 3)) + 1)).mean()

    assert bool((b.gradient(before, b.logits)[:, :, 0] != 0).all())


@claim("mmsegmentation", "mmseg-sigmoid-by-default")
def _(b, mmseg):
    loss = mmseg.models.losses.DiceLoss()
    inactive = mmseg.models.losses.DiceLoss(activate=False)
    assert b.same(loss(b.logits, b.labels), inactive(b.logits.sigmoid(), b.labels))


@claim("mmsegmentation", "mmseg-classes-pooled")
def _(b, mmseg):
    loss = mmseg.models.losses.DiceLoss(use_sigmoid=False, naive_dice=True, eps=0.0)
    assert b.same(loss(b.logits, b.labels), softmax_mae(b)(b.logits))


def squares(b):
    p, t = b.logits.sigmoid(), b.onehot
    return 1 - 2 * (p * t).sum((1, 2, 3)) / ((p**2 + t**2).sum((1, 2, 3)) + 2e-3)


for package in ("mmsegmentation", "mmdet"):

    @claim(package, "squared-denominator")
    def _(b, library):
        loss = library.models.losses.DiceLoss()
        assert b.same(loss(b.logits, b.onehot), squares(b).mean())
        unlikely = b.logits - 30
        g = b.gradient(lambda p: loss.__class__(activate=False)(p, b.onehot), unlikely.sigmoid())
        plain = loss.__class__(activate=False, naive_dice=True)
        h = b.gradient(lambda p: plain(p, b.onehot), unlikely.sigmoid())
        background = b.onehot == 0
        assert g[background].abs().max() < 1e-6 * h[~background].abs().max()

    @claim(package, "denominator-only-epsilon")
    def _(b, library):
        empty = b.torch.zeros_like(b.onehot)
        loss = library.models.losses.DiceLoss()
        g = b.gradient(lambda z: loss(z, empty), b.logits)
        assert b.same(g, b.torch.zeros_like(g))
        naive = library.models.losses.DiceLoss(naive_dice=True)
        assert bool((b.gradient(lambda z: naive(z, empty), b.logits) != 0).all())


# Catalyst


@claim("catalyst", "catalyst-batch-dice")
def _(b, catalyst):
    loss = catalyst.contrib.losses.DiceLoss()
    p, t = b.probabilities, b.onehot
    score = 2 * (p * t).sum((0, 2, 3)) / ((p + t).sum((0, 2, 3)) + 1e-7)
    assert b.same(loss(p, t), 1 - score.mean())


@claim("catalyst", "catalyst-epsilon-in-empty-numerators")
def _(b, catalyst):
    loss = catalyst.contrib.losses.DiceLoss(eps=0.5)
    empty = b.torch.zeros_like(b.onehot)
    assert b.same(loss(empty, empty), 0.0)
    assert b.same(loss(b.probabilities, empty), 1.0)
    g = b.gradient(lambda p: loss(p, empty), b.probabilities)
    assert b.same(g, b.torch.zeros_like(g))


@claim("catalyst", "weights-on-the-score")
def _(b, catalyst):
    def g(factor):
        weights = [1.0 * factor, 2.0 * factor, 3.0 * factor]
        loss = catalyst.contrib.losses.DiceLoss(mode="weighted", weights=weights)
        assert loss(b.probabilities, b.onehot) < 0
        return b.gradient(lambda p: loss(p, b.onehot), b.probabilities)

    assert b.same(g(2), 2 * g(1))


@claim("catalyst", "alpha-weighs-false-negatives")
def _(b, catalyst):
    p, t = b.probabilities, b.onehot
    tp, fp = (p * t).sum((0, 2, 3)), (p * (1 - t)).sum((0, 2, 3))
    fn = ((1 - p) * t).sum((0, 2, 3))
    loss = catalyst.contrib.losses.TrevskyLoss(alpha=0.3, beta=0.7)
    assert b.same(loss(p, t), 1 - (tp / (tp + 0.3 * fn + 0.7 * fp + 1e-7)).mean())


@claim("catalyst", "focal-gamma-is-reciprocal")
def _(b, catalyst):
    # The focal loss is the mean over the samples, each as a batch of its own.
    each = catalyst.contrib.losses.TrevskyLoss(alpha=0.7)
    focal = catalyst.contrib.losses.FocalTrevskyLoss(alpha=0.7, gamma=4 / 3)
    p, t = b.probabilities, b.onehot
    losses = b.torch.stack([each(p[k : k + 1], t[k : k + 1]) for k in range(2)])
    assert b.same(focal(p, t), (losses ** (4 / 3)).mean())


# Others


@claim("torchmetrics", "metric-not-differentiable")
def _(b, torchmetrics):
    p = b.probabilities.clone().requires_grad_(True)
    score = torchmetrics.functional.segmentation.dice_score(
        p, b.onehot, num_classes=3, input_format="one-hot"
    )
    assert not score.requires_grad


@claim("ultralytics", "ultralytics-smooth-one")
def _(b, ultralytics):
    losses = ultralytics.utils.loss
    both = losses.BCEDiceLoss(weight_bce=0.0, weight_dice=1.0)(b.logits, b.onehot)
    alone = losses.MultiChannelDiceLoss(smooth=1)(b.logits, b.onehot)
    assert b.same(both, alone)
    assert not b.same(both, losses.MultiChannelDiceLoss()(b.logits, b.onehot))


def main():
    found = {}
    for library, claims in CLAIMS.items():
        backend, names, _ = catalogue_libraries.load(library)
        bench = Bench(backend.torch)
        module = names[next(name for name in names if name != "torch")]
        found[library] = {}
        for trap, check in claims.items():
            try:
                check(bench, module)
                found[library][trap] = ""
            except Exception:
                found[library][trap] = traceback.format_exc(limit=-1)
    # A forked process writes as well: the answer is the last line.
    sys.stdout.flush()
    print("\n" + json.dumps(found))


main()
