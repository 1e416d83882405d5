"""One loss or more for every diagnostics rule, each with what is to be found, at its line."""

import jax.numpy as jnp
import numpy as np
import tensorflow as tf
import torch
import torch.nn as nn
import torch.nn.functional as F


def dice_loss(y_pred, y_true):
    intersection = np.sum(y_pred * y_true)
    return 1 - 2 * intersection / (np.sum(y_pred) + np.sum(y_true))  # DG001, fixed


def union_iou_loss(y_pred, y_true):
    intersection = (y_pred * y_true).sum(dim=(2, 3))
    union = (y_pred + y_true - y_pred * y_true).sum(dim=(2, 3))
    return 1 - (intersection / union).mean()  # DG001, fixed


def guarded_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    intersection = (y_pred * y_true).sum(dim=(2, 3))
    total = y_pred.sum(dim=(2, 3)) + y_true.sum(dim=(2, 3))
    dice = torch.where(total > 0, 2 * intersection / total, torch.ones_like(total))  # DG001
    return 1 - dice.mean()


def log_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, eps=1e-5):
    intersection = (y_pred * y_true).sum()
    dice = 2 * intersection / (y_pred.sum() + y_true.sum() + eps)
    return -torch.log(dice)  # DG002, fixed


def bce_loss(logits: torch.Tensor, target: torch.Tensor):
    p = torch.sigmoid(logits)
    positive = target * torch.log(p + 1e-7)
    negative = (1 - target) * torch.log(1 - p)  # DG002, fixed
    return -(positive + negative).mean()


def focal_tversky_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    tp = (y_pred * y_true).sum()
    fp = (y_pred * (1 - y_true)).sum()
    fn = ((1 - y_pred) * y_true).sum()
    index = (tp + smooth) / (tp + 0.3 * fp + 0.7 * fn + smooth)
    return (1 - index) ** 0.75  # DG002, fixed


def half_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, eps=1e-8):
    p = y_pred.half()
    t = y_true.half()
    intersection = (p * t).sum()  # DG005, fixed
    total = p.sum() + t.sum()  # DG005, fixed
    return 1 - (2 * intersection + eps) / (total + eps)  # DG003, fixed


def offset_dice_loss(y_pred, y_true, smooth=1.0):
    intersection = np.sum(y_pred * y_true)
    total = np.sum(y_pred) + np.sum(y_true) + smooth
    return 1 - (2 * intersection + smooth) / total + 1e-7  # DG004, fixed


def bounded_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    intersection = (y_pred * y_true).sum()
    total = y_pred.sum() + y_true.sum() + 1.0
    return 1 - (2 * intersection + 1.0) / total.clamp(min=1e-8)  # DG004


def absorbed_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    intersection = (y_pred * y_true).sum()
    total = y_pred.sum() + y_true.sum() + 1.0
    return 1 - (2 * intersection + 1.0) / (total + 1e-9)  # DG004, fixed


def twice_dice_loss(logits: torch.Tensor, target: torch.Tensor, smooth=1.0):
    p = torch.sigmoid(logits)
    p = torch.sigmoid(p)  # DG006, fixed
    intersection = (p * target).sum()
    return 1 - (2 * intersection + smooth) / (p.sum() + target.sum() + smooth)


class DiceBCELoss(nn.Module):
    def forward(self, inputs, targets, smooth=1):
        inputs = torch.sigmoid(inputs)
        inputs = inputs.view(-1)
        targets = targets.view(-1)
        intersection = (inputs * targets).sum()
        dice = 1 - (2.0 * intersection + smooth) / (inputs.sum() + targets.sum() + smooth)
        bce = F.binary_cross_entropy_with_logits(inputs, targets)  # DG006
        return bce + dice


def raw_dice_loss(logits: torch.Tensor, target: torch.Tensor, smooth=1.0):
    intersection = (logits * target).sum()
    return 1 - (2 * intersection + smooth) / (logits.sum() + target.sum() + smooth)  # DG007


def hard_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    mask = (y_pred > 0.5).float()  # DG008
    intersection = (mask * y_true).sum()
    return 1 - (2 * intersection + smooth) / (mask.sum() + y_true.sum() + smooth)


def detached_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    p = y_pred.detach()  # DG008, fixed
    intersection = (p * y_true).sum()
    return 1 - (2 * intersection + smooth) / (p.sum() + y_true.sum() + smooth)


def mixed_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    hard = torch.round(y_pred)  # DG009
    intersection = (hard * y_true).sum()
    return 1 - (2 * intersection + smooth) / (y_pred.sum() + y_true.sum() + smooth)


def micro_dice_loss(logits: torch.Tensor, target: torch.Tensor, smooth=1.0):
    p = F.softmax(logits, dim=1)
    t = F.one_hot(target, 3).permute(0, 3, 1, 2).float()
    p, t = p.reshape(-1), t.reshape(-1)
    return 1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)  # DG010


def crossed_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    """y_pred: (N, 1, H, W), y_true: (N, H, W)"""
    intersection = (y_pred * y_true).sum()  # DG011
    return 1 - (2 * intersection + smooth) / (y_pred.sum() + y_true.sum() + smooth)


def batch_softmax_dice_loss(logits: torch.Tensor, target: torch.Tensor, smooth=1.0):
    """logits: (N, C, H, W), target: (N, C, H, W)"""
    p = torch.softmax(logits, dim=0)  # DG012, fixed
    intersection = (p * target).sum(dim=(2, 3))
    total = p.sum(dim=(2, 3)) + target.sum(dim=(2, 3))
    return 1 - ((2 * intersection + smooth) / (total + smooth)).mean()


def unmoved_dice_loss(logits: torch.Tensor, target: torch.Tensor, smooth=1.0):
    """logits: (N, C, H, W), target: (N, H, W)"""
    p = F.softmax(logits, dim=1)
    t = F.one_hot(target, 3).float()  # DG012
    intersection = (p * t).sum(dim=(2, 3))
    total = p.sum(dim=(2, 3)) + t.sum(dim=(2, 3))
    return 1 - ((2 * intersection + smooth) / (total + smooth)).mean()


def truncating_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    t = y_true.long()  # DG013, fixed
    intersection = (y_pred * t).sum()
    return 1 - (2 * intersection + smooth) / (y_pred.sum() + t.sum() + smooth)


def masked_dice_loss(logits: torch.Tensor, target: torch.Tensor, smooth=1.0):
    p = torch.sigmoid(logits)
    p[target == 255] = 0  # DG014, fixed
    intersection = (p * target).sum()
    return 1 - (2 * intersection + smooth) / (p.sum() + target.sum() + smooth)


def squared_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    p = y_pred * 1.0
    q = torch.log(p + 2.0)
    total = (q * q).sum() + y_true.sum()
    q *= y_true  # DG014, fixed
    return 1 - (2 * q.sum() + smooth) / (total + smooth)


def own_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    y_pred.mul_(y_true < 255)  # DG014, fixed
    intersection = (y_pred * y_true).sum()
    return 1 - (2 * intersection + smooth) / (y_pred.sum() + y_true.sum() + smooth)


def branching_dice_loss(y_pred, y_true, smooth=1.0):
    if jnp.sum(y_true) == 0:  # DG017
        return jnp.mean(y_pred)
    intersection = jnp.sum(y_pred * y_true)
    return 1 - (2 * intersection + smooth) / (jnp.sum(y_pred) + jnp.sum(y_true) + smooth)


def branching_iou_loss(y_true, y_pred, smooth=1.0):
    if tf.reduce_sum(y_true) == 0:  # DG017
        return tf.reduce_mean(y_pred)
    both = tf.reduce_sum(y_pred * y_true)
    return 1 - (both + smooth) / (tf.reduce_sum(y_pred + y_true - y_pred * y_true) + smooth)


def jumping_dice_loss(y_pred, y_true, smooth=1.0):
    dice = (2 * np.sum(y_pred * y_true) + smooth) / (np.sum(y_pred) + np.sum(y_true) + smooth)
    return 1 - dice if dice > 0.5 else 2 * (1 - dice)  # DG017


class WrongDice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y_pred, y_true):
        intersection = (y_pred * y_true).sum()
        total = y_pred.sum() + y_true.sum() + 1e-6
        ctx.save_for_backward(y_true, intersection, total)
        return 1 - 2 * intersection / total

    @staticmethod
    def backward(ctx, grad_output):
        y_true, intersection, total = ctx.saved_tensors
        return grad_output * -2 * y_true / total, None  # DG015


def function_dice_loss(y_pred, y_true):
    return WrongDice.apply(y_pred, y_true)


def soft_dice_loss(y_pred, y_true, smooth=1.0):  # DG016
    intersection = tf.reduce_sum(y_pred * y_true)
    union = tf.reduce_sum(y_pred) + tf.reduce_sum(y_true) - intersection
    return 1 - (intersection + smooth) / (union + smooth)


def iou_loss(y_pred, y_true, smooth=1.0):  # DG016
    intersection = jnp.sum(y_pred * y_true)
    return 1 - (2 * intersection + smooth) / (jnp.sum(y_pred) + jnp.sum(y_true) + smooth)


def halved_dice_loss(y_pred, y_true, smooth=1.0):  # DG016
    intersection = (y_pred * y_true).sum()
    return 1 - (intersection + smooth) / (y_pred.sum() + y_true.sum() + smooth)


def guarded_log_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    entries = y_true * torch.log(y_pred)  # DG002, fixed
    return -torch.where(y_pred > 0, entries, torch.zeros_like(entries)).mean()


def ignored_dice_loss(y_pred, y_true):
    intersection = np.sum(y_pred * y_true)
    return 1 - 2 * intersection / (np.sum(y_pred) + np.sum(y_true))  # dice-gradient: ignore[DG001]
