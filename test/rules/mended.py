"""What the quick fixes of bad.py promise: the same losses, written right by themselves."""

import numpy as np
import torch


def dice_loss(y_pred, y_true):
    return 1 - (2 * np.sum(y_pred * y_true) + 1e-6) / (np.sum(y_pred + y_true) + 1e-6)


def union_iou_loss(y_pred, y_true):
    both = (y_pred * y_true).sum(dim=(2, 3))
    either = y_pred.sum(dim=(2, 3)) + y_true.sum(dim=(2, 3)) - both
    return (1 - (both + 1e-6) / (either + 1e-6)).mean()


def log_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    total = (y_pred + y_true).sum()
    return -torch.log(2 * (y_pred * y_true).sum() / (total + 1e-5) + 1e-7)


def bce_loss(logits: torch.Tensor, target: torch.Tensor):
    p = 1 / (1 + torch.exp(-logits))
    return -torch.mean(target * torch.log(p + 1e-7) + (1 - target) * torch.log(1 - p + 1e-7))


def focal_tversky_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    tp = (y_pred * y_true).sum()
    below = 0.3 * y_pred.sum() + 0.7 * y_true.sum() + 1.0
    return (1 - (tp + 1.0) / below + 1e-7) ** 0.75


def half_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    return 1 - (2 * (y_pred * y_true).sum() + 1e-8) / ((y_pred + y_true).sum() + 1e-8)


def offset_dice_loss(y_pred, y_true):
    return 1 - (2 * np.sum(y_pred * y_true) + 1) / (np.sum(y_pred + y_true) + 1)


def absorbed_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    return 1 - (2 * (y_pred * y_true).sum() + 1) / ((y_pred + y_true).sum() + 1)


def twice_dice_loss(logits: torch.Tensor, target: torch.Tensor):
    p = 1 / (1 + torch.exp(-logits))
    return 1 - (2 * (p * target).sum() + 1) / ((p + target).sum() + 1)


def detached_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    return 1 - (2 * (y_pred * y_true).sum() + 1) / ((y_pred + y_true).sum() + 1)


def batch_softmax_dice_loss(logits: torch.Tensor, target: torch.Tensor):
    """logits: (N, C, H, W), target: (N, C, H, W)"""
    e = torch.exp(logits)
    p = e / e.sum(dim=1, keepdim=True)
    both = (p * target).sum(dim=(2, 3))
    return (1 - (2 * both + 1) / ((p + target).sum(dim=(2, 3)) + 1)).mean()


def truncating_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    return 1 - (2 * (y_pred * y_true).sum() + 1) / ((y_pred + y_true).sum() + 1)


def masked_dice_loss(logits: torch.Tensor, target: torch.Tensor):
    p = torch.where(target == 255, 0.0, 1 / (1 + torch.exp(-logits)))
    return 1 - (2 * (p * target).sum() + 1) / ((p + target).sum() + 1)


def squared_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    logs = torch.log(y_pred + 2.0)
    return 1 - (2 * (logs * y_true).sum() + 1) / ((logs**2).sum() + y_true.sum() + 1)


def own_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    p = torch.where(y_true < 255, y_pred, 0.0)
    return 1 - (2 * (p * y_true).sum() + 1) / ((p + y_true).sum() + 1)


def guarded_log_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    return -(y_true * torch.log(y_pred + 1e-7)).mean()
