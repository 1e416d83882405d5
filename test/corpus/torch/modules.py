"""Losses as modules: options, nested modules, inheritance, injected functions."""

import enum
import functools
import logging
import warnings
from typing import Callable, Optional

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import Tensor

logger = logging.getLogger(__name__)

SMOOTH = 1e-5
WEIGHTS = [0.25, 0.75]


class SoftDice(nn.Module):
    # case: SoftDice()(probabilities(2, 2, 3, 3), mask(2, 2, 3, 3))
    # case: SoftDice(torch.sigmoid, batch_dice=each(True, False), do_bg=False)(logits(2, 2, 3, 3), mask(2, 2, 3, 3))
    # case: SoftDice(nn.Softmax(dim=1), smooth=0.0)(logits(2, 3, 4), onehot(2, 3, 4), bools(2, 1, 4))
    """nnU-Net's manner: a callable is injected, an optional mask multiplies the counts."""

    def __init__(self, apply_nonlin: Optional[Callable] = None, batch_dice=False, do_bg=True, smooth=1.0):
        super(SoftDice, self).__init__()
        self.do_bg = do_bg
        self.batch_dice = batch_dice
        self.apply_nonlin = apply_nonlin
        self.smooth = smooth

    def forward(self, x, y, loss_mask=None):
        if self.apply_nonlin is not None:
            x = self.apply_nonlin(x)
        axes = list(range(2, x.ndim))
        if self.batch_dice:
            axes = [0] + axes
        tp, fp, fn = self.counts(x, y, axes, loss_mask)
        dc = (2 * tp + self.smooth) / torch.clip(2 * tp + fp + fn + self.smooth, 1e-8)
        if not self.do_bg:
            dc = dc[1:] if self.batch_dice else dc[:, 1:]
        return -dc.mean()

    @staticmethod
    def counts(x, y, axes, mask):
        results = [x * y, x * (1 - y), (1 - x) * y]
        if mask is not None:
            with torch.no_grad():
                mask_here = torch.tile(mask, (1, x.shape[1], *[1 for _ in range(2, x.ndim)]))
            results = [r * mask_here for r in results]
        return [r.sum(dim=axes, keepdim=False) for r in results]


class Base(nn.Module):
    """Shared settings; the derived class says what a score is."""

    def __init__(self, reduction="mean", weight=None, loss_weight=1.0):
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"unknown reduction {reduction!r}")
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.register_buffer("weight", weight)

    def score(self, p, t):
        raise NotImplementedError

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        if input.shape != target.shape:
            raise AssertionError(f"shapes differ: {input.shape} and {target.shape}")
        loss = 1 - self.score(input.sigmoid(), target)
        if self.weight is not None:
            loss = loss * self.weight
        if self.reduction == "mean":
            loss = loss.mean()
        elif self.reduction == "sum":
            loss = loss.sum()
        return self.loss_weight * loss


class LinearDice(Base):
    # case: LinearDice()(logits(2, 3, 4), mask(2, 3, 4))
    # case: LinearDice(reduction="sum", weight=torch.tensor([0.25, 0.5, 1.5]))(logits(2, 3, 4), mask(2, 3, 4))
    # case: LinearDice("none", loss_weight=2.5)(logits(2, 3, 4), mask(2, 3, 4))
    def score(self, p, t):
        return (2 * (p * t).sum(2) + SMOOTH) / (p.sum(2) + t.sum(2) + SMOOTH)


class Tversky(Base):
    # case: Tversky(alpha=0.3, beta=0.7)(logits(2, 3, 4), soft(2, 3, 4))
    # case: Tversky(gamma=each(1.0, 0.75, 2))(logits(2, 3, 4), mask(2, 3, 4))
    def __init__(self, alpha=0.5, beta=0.5, gamma=None, **kwargs):
        super().__init__(**kwargs)
        self.alpha, self.beta, self.gamma = alpha, beta, gamma

    def score(self, p, t):
        tp = (p * t).sum(2)
        fp = (p * (1 - t)).sum(2)
        fn = ((1 - p) * t).sum(2)
        return tp / (tp + self.alpha * fp + self.beta * fn + SMOOTH)

    def forward(self, *inputs):
        loss = super().forward(*inputs)
        return loss if self.gamma is None else loss ** self.gamma


class Combined(nn.Module):
    # case: Combined()(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
    # case: Combined(bce_weight=0.2, pos_weight=torch.tensor([3.0]))(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
    """Two nested losses whose settings are forwarded as keyword arguments."""

    def __init__(self, bce_weight=0.5, pos_weight=None, **dice_kwargs):
        super().__init__()
        self.bce = nn.BCEWithLogitsLoss(pos_weight=pos_weight)
        self.dice = LinearDice(**dice_kwargs)
        self.bce_weight = bce_weight

    def forward(self, logits, target):
        return self.bce_weight * self.bce(logits, target) + (1 - self.bce_weight) * self.dice(logits, target)


class DiceAndCE(nn.Module):
    # case: DiceAndCE()(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
    # case: DiceAndCE(label_smoothing=0.1)(logits(2, 3, 5), labels(2, 5, classes=3))
    # case: DiceAndCE(weight=torch.tensor([0.25, 0.5, 1.5]), ignore_index=2)(logits(2, 3, 5), labels(2, 5, classes=3))
    # case: DiceAndCE(weight=torch.tensor([0.25, 0.5, 1.5]), label_smoothing=0.2, ignore_index=1)(logits(2, 3, 5), labels(2, 5, classes=3))
    """Cross entropy with all its options, on class numbers."""

    def __init__(self, weight=None, ignore_index=-100, label_smoothing=0.0):
        super().__init__()
        self.ce = nn.CrossEntropyLoss(weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing)
        self.classes = None

    def forward(self, logits, labels):
        p = logits.softmax(1)
        hot = F.one_hot(labels.clamp(0, p.shape[1] - 1), p.shape[1]).movedim(-1, 1)
        dims = tuple(range(2, p.dim()))
        dice = 2 * (p * hot).sum(dims) / (p.sum(dims) + hot.sum(dims)).clamp(min=1e-8)
        return self.ce(logits, labels) + 1 - dice.mean()


class Zoo(nn.Module):
    # case: Zoo("bce")(logits(2, 3, 4), mask(2, 3, 4))
    # case: Zoo("bce", weight=torch.tensor([[1.0], [2.0], [3.0]]))(logits(2, 3, 4), soft(2, 3, 4))
    # case: Zoo("mse", reduction=each("mean", "sum", "none"))(logits(2, 3, 4), soft(2, 3, 4))
    # case: Zoo("smooth_l1", beta=each(1.0, 0.3))(logits(2, 3, 4), soft(2, 3, 4))
    # case: Zoo("l1")(logits(2, 3, 4), soft(2, 3, 4))
    # case: Zoo("huber", delta=0.4)(logits(2, 3, 4), soft(2, 3, 4))
    # case: Zoo("kl", reduction=each("batchmean", "mean", "sum"))(logits(2, 3, 4), soft(2, 3, 4))
    # case: Zoo("bce_logits", reduction="sum")(logits(2, 3, 4), mask(2, 3, 4))
    """Each of the ready-made losses behind a name, plus Dice."""

    def __init__(self, kind, **kwargs):
        super().__init__()
        kinds = {
            "bce": nn.BCELoss,
            "bce_logits": nn.BCEWithLogitsLoss,
            "mse": nn.MSELoss,
            "l1": nn.L1Loss,
            "smooth_l1": nn.SmoothL1Loss,
            "huber": nn.HuberLoss,
            "kl": nn.KLDivLoss,
        }
        self.kind = kind
        self.base = kinds[kind](**kwargs)
        self.act = nn.Identity() if kind == "bce_logits" else nn.LogSigmoid() if kind == "kl" else nn.Sigmoid()

    def forward(self, logits, target):
        p = logits.sigmoid()
        dice = 2 * (p * target).sum() / (p.sum() + target.sum())
        return self.base(self.act(logits), target) + (1 - dice)


class NLLDice(nn.Module):
    # case: NLLDice()(logits(2, 3, 4), labels(2, 4, classes=3))
    # case: NLLDice(weight=torch.tensor([1.0, 2.0, 4.0]), reduction=each("sum", "mean"))(logits(2, 3, 4), labels(2, 4, classes=3))
    def __init__(self, **kwargs):
        super().__init__()
        self.log = nn.LogSoftmax(dim=1)
        self.nll = nn.NLLLoss(**kwargs)

    def forward(self, x, y):
        logp = self.log(x)
        pt = torch.gather(logp, 1, y.unsqueeze(1)).exp()
        return self.nll(logp, y) + 1 - pt.mean()


class Several(nn.Module):
    # case: Several()(logits(2, 1, 4), mask(2, 1, 4))
    """Containers of modules, in a list, a sequence and a dictionary."""

    def __init__(self):
        super().__init__()
        self.losses = nn.ModuleList([LinearDice(), Tversky(alpha=0.3, beta=0.7), nn.BCEWithLogitsLoss()])
        self.named = nn.ModuleDict({"sum": LinearDice(reduction="sum")})
        self.head = nn.Sequential(nn.Identity(), nn.Hardtanh(-4.0, 4.0), nn.Dropout(0.0))
        self.scale = nn.Parameter(torch.tensor([0.5, 0.25, 0.25]))

    def forward(self, logits, target):
        logits = self.head(logits)
        total = 0.0
        for scale, loss in zip(self.scale, self.losses):
            total = total + scale * loss(logits, target)
        for name, loss in self.named.items():
            total = total + 0.1 * loss(logits, target)
        return total


class Mode(enum.Enum):
    BINARY = "binary"
    MULTICLASS = "multiclass"


class ByMode(nn.Module):
    # case: ByMode(Mode.BINARY)(logits(2, 1, 4), mask(2, 1, 4))
    # case: ByMode("multiclass", log_loss=True)(logits(2, 3, 4), onehot(2, 3, 4))
    """An Enum says which activation to take; a string may name it."""

    activations = {Mode.BINARY: F.logsigmoid, Mode.MULTICLASS: functools.partial(F.log_softmax, dim=1)}

    def __init__(self, mode, log_loss=False, eps=1e-7):
        super().__init__()
        self.mode = Mode(mode) if isinstance(mode, str) else mode
        self.log_loss = log_loss
        self.eps = eps

    def forward(self, y_pred, y_true):
        p = self.activations[self.mode](y_pred).exp()
        if self.mode is Mode.BINARY:
            bs = y_true.size(0)
            p, y_true = p.view(bs, 1, -1), y_true.view(bs, 1, -1)
        score = 2.0 * (p * y_true).sum((0, 2)) / (p + y_true).sum((0, 2)).clamp_min(self.eps)
        loss = -torch.log(score.clamp_min(self.eps)) if self.log_loss else 1.0 - score
        return loss.mean()


class Term:
    """Losses that are added and scaled like numbers."""

    def __init__(self, function, name):
        self.function, self.__name = function, name

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def __add__(self, other):
        return Term(lambda *a, **k: self(*a, **k) + other(*a, **k), f"{self.__name} + …")

    def __mul__(self, factor):
        return Term(lambda *a, **k: factor * self(*a, **k), f"{factor} * {self.__name}")

    __rmul__ = __mul__


def plain_dice(p, t, smooth=SMOOTH):
    return 1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)


class Added(nn.Module):
    # case: Added()(probabilities(2, 3, 4), mask(2, 3, 4))
    def __init__(self):
        super().__init__()
        bce = Term(nn.BCELoss(), "bce")
        dice = Term(functools.partial(plain_dice, smooth=1.0), "dice")
        self.total = bce + 0.5 * dice + dice * 0.25

    def forward(self, p, t):
        return self.total(p, t)


class Careful(nn.Module):
    # case: Careful(sigmoid=True)(logits(2, 1, 4), mask(2, 1, 4))
    # case: Careful(softmax=True, weight=WEIGHTS)(logits(2, 2, 4), onehot(2, 2, 4))
    # case: Careful(softmax=True)(logits(2, 1, 4), mask(2, 1, 4))
    # case: Careful(other_act=torch.tanh)(logits(2, 2, 4), mask(2, 2, 4))
    """Checks of the settings, warnings and log lines around a loss."""

    def __init__(self, sigmoid=False, softmax=False, other_act=None, weight=None):
        super().__init__()
        if other_act is not None and not callable(other_act):
            raise TypeError(f"other_act must be None or callable but is {type(other_act).__name__}.")
        if int(sigmoid) + int(softmax) + int(other_act is not None) > 1:
            raise ValueError("Incompatible values")
        self.sigmoid, self.softmax, self.other_act = sigmoid, softmax, other_act
        weight = torch.as_tensor(weight) if weight is not None else None
        self.register_buffer("class_weight", weight)
        self.class_weight: Optional[Tensor]

    def forward(self, input, target):
        if self.sigmoid:
            input = torch.sigmoid(input)
        n_pred_ch = input.shape[1]
        if self.softmax:
            if n_pred_ch == 1:
                warnings.warn("single channel prediction, `softmax=True` ignored.", stacklevel=2)
            else:
                input = torch.softmax(input, 1)
        if self.other_act is not None:
            input = self.other_act(input)
        logger.debug("prediction %s", tuple(input.shape))
        print("dice of", n_pred_ch, "channels")
        inter = (input * target).sum(-1)
        f = 1.0 - (2.0 * inter + 1) / (input.sum(-1) + target.sum(-1) + 1)
        if self.class_weight is not None and n_pred_ch != 1:
            if self.class_weight.ndim == 0:
                self.class_weight = torch.as_tensor([self.class_weight] * n_pred_ch)
            elif self.class_weight.shape[0] != n_pred_ch:
                raise ValueError("the length of the weights should equal the number of classes")
            if self.class_weight.min() < 0:
                raise ValueError("the weights should be no less than 0.")
            f = f * self.class_weight.to(f)
        return torch.mean(f)


class Metric:
    # case: Metric(classes=2).loss(logits(2, 2, 4), onehot(2, 2, 4))
    # case: Metric(classes=2, eps=1e-2).loss(logits(1, 2, 4), onehot(1, 2, 4))
    """A plain class with a property, a class method and a static method."""

    default_eps = 1e-6

    def __init__(self, classes, eps=None):
        self._classes = classes
        self.eps = self.default_eps if eps is None else eps

    @property
    def classes(self):
        return self._classes

    @classmethod
    def _norm(cls, x):
        return x / (x.sum(1, keepdim=True) + cls.default_eps)

    @staticmethod
    def _sum(x):
        return x.sum(dim=(0, 2))

    def loss(self, y_pred, y_true):
        p = self._norm(y_pred.exp())
        score = 2 * self._sum(p * y_true) / (self._sum(p) + self._sum(y_true) + self.eps)
        return 1 - score.sum() / self.classes
