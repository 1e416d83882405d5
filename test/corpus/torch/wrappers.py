"""Decorators, closures, partial functions, globals and the like around a loss."""

import functools
import inspect
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Variable
from torch.cuda.amp import autocast, custom_fwd

ALPHA, BETA, GAMMA = 0.3, 0.7, 4 / 3
config = {"smooth": 1.0, "squared": True}


class Registry:
    """Classes and functions by name."""

    def __init__(self, name):
        self.name = name
        self.items = {}

    def register_module(self, name=None, force=False, module=None):
        if module is not None:
            self.items[name or module.__name__] = module
            return module

        def register(cls):
            self.items[name or cls.__name__] = cls
            return cls

        return register

    def build(self, cfg):
        cfg = dict(cfg)
        return self.items[cfg.pop("type")](**cfg)


LOSSES = Registry("losses")


def weighted_loss(loss_func):
    """Adds weight, reduction and avg_factor to a loss of single entries."""

    @functools.wraps(loss_func)
    def wrapper(pred, target, weight=None, reduction="mean", avg_factor=None, **kwargs):
        loss = loss_func(pred, target, **kwargs)
        if weight is not None:
            loss = loss * weight
        if avg_factor is None:
            if reduction == "mean":
                return loss.mean()
            if reduction == "sum":
                return loss.sum()
            return loss
        if reduction == "mean":
            return loss.sum() / (avg_factor + 1e-12)
        raise ValueError('avg_factor can not be used with reduction="sum"')

    return wrapper


# case: decorated_dice(logits(3, 2, 4), mask(3, 2, 4))
# case: decorated_dice(logits(3, 2, 4), mask(3, 2, 4), weights(3), avg_factor=5.0)
# case: decorated_dice(logits(3, 2, 4), mask(3, 2, 4), reduction=each("none", "sum"), exponent=1)
@weighted_loss
def decorated_dice(pred, target, smooth=1, exponent=2, **kwargs):
    assert pred.shape[0] == target.shape[0]
    p = pred.sigmoid().reshape(pred.shape[0], -1)
    t = target.contiguous().view(target.shape[0], -1)
    num = torch.sum(torch.mul(p, t), dim=1) * 2 + smooth
    den = torch.sum(p.pow(exponent) + t.pow(exponent), dim=1) + smooth
    return 1 - num / den


@LOSSES.register_module()
class RegisteredDice(nn.Module):
    # case: RegisteredDice()(logits(2, 3, 4), labels(2, 4, classes=3))
    # case: RegisteredDice(class_weight=[1.0, 2.0, 0.5], loss_weight=0.4)(logits(2, 3, 4), labels(2, 4, classes=3), ignore_index=2)
    """mmsegmentation's manner: the class loop skips a label, the mask multiplies the numerator."""

    def __init__(self, smooth=1, exponent=2, class_weight=None, loss_weight=1.0, ignore_index=255, **kwargs):
        super().__init__()
        self.smooth, self.exponent = smooth, exponent
        self.class_weight, self.loss_weight, self.ignore_index = class_weight, loss_weight, ignore_index

    def forward(self, pred, target, avg_factor=None, reduction_override=None, **kwargs):
        assert reduction_override in (None, "none", "mean", "sum")
        reduction = reduction_override if reduction_override else "mean"
        if self.class_weight is not None:
            class_weight = pred.new_tensor(self.class_weight)
        else:
            class_weight = None
        pred = F.softmax(pred, dim=1)
        num_classes = pred.shape[1]
        one_hot_target = F.one_hot(torch.clamp(target.long(), 0, num_classes - 1), num_classes=num_classes)
        ignore_index = kwargs.get("ignore_index", self.ignore_index)
        valid_mask = (target != ignore_index).long()
        total = 0
        for i in range(num_classes):
            if i != ignore_index:
                loss = self.binary(pred[:, i], one_hot_target[..., i], valid_mask)
                if class_weight is not None:
                    loss *= class_weight[i]
                total += loss.mean() if reduction == "mean" else loss.sum()
        return self.loss_weight * total / num_classes

    def binary(self, pred, target, valid_mask):
        pred = pred.reshape(pred.shape[0], -1)
        target = target.reshape(target.shape[0], -1)
        valid_mask = valid_mask.reshape(valid_mask.shape[0], -1)
        num = torch.sum(torch.mul(pred, target) * valid_mask, dim=1) * 2 + self.smooth
        den = torch.sum(pred.pow(self.exponent) + target.pow(self.exponent), dim=1) + self.smooth
        return 1 - num / den


# case: from_registry(logits(2, 3, 4), labels(2, 4, classes=3))
def from_registry(logits, labels):
    loss = LOSSES.build(dict(type="RegisteredDice", smooth=0.5))
    return loss(logits, labels)


# case: scripted(logits(2, 1, 5), mask(2, 1, 5), torch.tensor(2.0))
@torch.jit.script
def scripted(inputs, targets, num_masks):
    inputs = inputs.sigmoid()
    inputs = inputs.flatten(1)
    targets = targets.flatten(1)
    numerator = 2 * (inputs * targets).sum(-1)
    denominator = inputs.sum(-1) + targets.sum(-1)
    loss = 1 - (numerator + 1) / (denominator + 1)
    return loss.sum() / num_masks


# case: in_full_precision(logits(2, 1, 5), mask(2, 1, 5))
@custom_fwd(cast_inputs=torch.float32)
def in_full_precision(logits, labels):
    with autocast(enabled=False):
        p = torch.sigmoid(logits.float())
    numer = 2 * (p * labels).sum((1, 2)) + 1
    return (1 - numer / (p ** 2 + labels).sum((1, 2)).add_(1)).mean()


# case: autocast_dice(logits(2, 3, 4), mask(2, 3, 4))
@autocast(enabled=False)
def autocast_dice(logits, target):
    p = Variable(torch.sigmoid(logits), requires_grad=True) if False else logits.sigmoid()
    ones = Variable(torch.ones(p.size()))
    inter = torch.sum(p * target * ones)
    return 1 - 2 * inter / (torch.sum(p * ones) + torch.sum(target))


def make_loss(alpha, beta, gamma=1.0):
    """A closure factory."""

    def index(p, t):
        tp = (p * t).sum()
        return tp / (tp + alpha * (p * (1 - t)).sum() + beta * ((1 - p) * t).sum())

    def loss(p, t):
        return torch.pow(1 - index(p, t), 1 / gamma)

    return loss


focal_tversky = make_loss(ALPHA, BETA, gamma=GAMMA)


# case: closed(probabilities(2, 3), mask(2, 3))
def closed(p, t):
    return focal_tversky(p, t)


# case: partially(probabilities(2, 3), mask(2, 3))
def partially(p, t):
    half = functools.partial(make_loss, beta=0.5)
    return half(0.5)(p, t) + functools.reduce(lambda a, b: a + b, [half(a)(p, t) for a in (0.1, 0.9)])


# case: settings_in_a_dict(logits(2, 3), mask(2, 3))
# case: settings_in_a_dict(logits(2, 3), mask(2, 3), squared=False)
def settings_in_a_dict(y_pred, y_true, **overrides):
    cfg = {**config, **overrides}
    p = 1 / (1 + torch.exp(-y_pred))
    power = 2 if cfg["squared"] else 1
    den = p ** power + y_true ** power
    return 1 - (2 * (p * y_true).sum() + cfg["smooth"]) / (den.sum() + cfg["smooth"])


# case: shadowed_builtins(logits(2, 2, 5), mask(2, 2, 5))
def shadowed_builtins(input, target):
    """`sum`, `max` and `input` are variables here."""
    max, indices = input.softmax(1).max(1)
    sum = max.sum() + target[:, 1].sum()
    inter = (max * target[:, 1]).sum()
    return 1 - 2 * inter / sum


# case: log_cosh(probabilities(2, 3), mask(2, 3))
def log_cosh(p, t):
    x = plain(p, t)
    return torch.log((torch.exp(x) + torch.exp(-x)) / 2.0) + torch.log(torch.cosh(x))


def plain(p, t):
    return 1 - (2.0 * (p * t).sum() + 1e-6) / (p.sum() + t.sum() + 1e-6)


# case: precedence(probabilities(2, 3), mask(2, 3))
# case: precedence(probabilities(7), soft(7), eps=0.1)
def precedence(p, t, eps=1e-4):
    """What was meant is 2 * (inter + eps) / (union + eps); this is what was written."""
    inter = (p * t).sum()
    union = p.sum() + t.sum()
    return 1 - 2 * inter + eps / union + eps - 2 * (t * union - inter).mean() / union * union


# case: log_dice(logits(2, 1, 4), mask(2, 1, 4))
# case: log_dice(logits(2, 3, 4), onehot(2, 3, 4))
def log_dice(logits, target):
    """Stays finite by logarithms: log-sum-exp of the log-probabilities."""
    logp = F.logsigmoid(logits) if logits.shape[1] == 1 else logits.log_softmax(1)
    masked = torch.where(target > 0.5, logp, torch.full_like(logp, -1e30))
    inter = torch.logsumexp(masked.flatten(1), dim=1)
    total = torch.log(torch.logsumexp(logp.flatten(1), 1).exp() + target.flatten(1).sum(1))
    return -(math.log(2) + inter - total).mean()


# case: focal_dice(logits(2, 3, 4), onehot(2, 3, 4))
# case: focal_dice(logits(2, 3, 4), onehot(2, 3, 4), gamma=each(0.0, 0.5, 3))
def focal_dice(logits, target, gamma=2.0, alpha=0.25):
    bce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    pt = torch.exp(-bce)
    at = alpha * target + (1 - alpha) * (1 - target)
    focal = (at * (1 - pt) ** gamma * bce).mean()
    p = logits.sigmoid()
    return focal - torch.log((2 * (p * target).sum() + 1) / (p.sum() + target.sum() + 1))


# case: typed(probabilities(2, 3), mask(2, 3))
# case: typed(probabilities(2, 3), labels(2, 3, classes=2))
def typed(p, t):
    """Checks of types and sizes, conversions to the prediction's dtype and device."""
    if not torch.is_tensor(p):
        raise TypeError(f"Input type is not a torch.Tensor. Got {type(p)}")
    if not len(p.shape) == 2:
        raise ValueError(f"Invalid input shape, we expect BxN. Got: {p.shape}")
    if isinstance(t, torch.Tensor) and not t.is_floating_point():
        t = t.to(dtype=p.dtype, device=p.device)
    t = t.type_as(p).to(p.device)
    eps = torch.finfo(p.dtype).eps
    tiny = p.new_tensor(1e-6)
    zero = p.new_zeros(())
    den = torch.maximum(p.sum() + t.sum(), tiny) + eps
    return 1 - 2 * (p * t).sum() / den + zero
