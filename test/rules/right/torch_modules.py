"""Losses that are modules, as a careful engineer writes them: nothing is to be found here."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class DiceLoss(nn.Module):
    def __init__(self, smooth: float = 1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, target):
        p = torch.sigmoid(logits).reshape(-1)
        t = target.reshape(-1)
        return 1 - (2 * (p * t).sum() + self.smooth) / (p.sum() + t.sum() + self.smooth)


class SoftDiceLoss(nn.Module):
    """Smoothing may be 0: the bound then keeps the denominator from zero."""

    def __init__(self, smooth: float = 1.0, include_background: bool = True):
        super().__init__()
        self.smooth = smooth
        self.include_background = include_background

    def forward(self, logits, target):
        """logits: (N, C, H, W), target: (N, C, H, W)"""
        p = torch.softmax(logits, dim=1)
        intersection = (p * target).sum((2, 3))
        total = p.sum((2, 3)) + target.sum((2, 3))
        dice = (2 * intersection + self.smooth) / (total + self.smooth).clamp(min=1e-8)
        if not self.include_background:
            dice = dice[:, 1:]
        return 1 - dice.mean()


class DiceCELoss(nn.Module):
    def __init__(self, weight: float = 0.5, eps: float = 1e-6):
        super().__init__()
        self.weight = weight
        self.eps = eps

    def forward(self, logits, target):
        """logits: (N, C, H, W), target: (N, H, W)"""
        p = torch.softmax(logits, dim=1)
        t = F.one_hot(target, p.shape[1]).movedim(-1, 1).float()
        intersection = (p * t).sum((0, 2, 3))
        total = p.sum((0, 2, 3)) + t.sum((0, 2, 3))
        dice = 1 - ((2 * intersection + self.eps) / (total + self.eps)).mean()
        return self.weight * dice + (1 - self.weight) * F.cross_entropy(logits, target)


class IoULoss(nn.Module):
    def __init__(self, smooth: float = 1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, target):
        p = torch.sigmoid(logits)
        intersection = (p * target).sum()
        union = (p + target - p * target).sum()
        return 1 - (intersection + self.smooth) / (union + self.smooth)


class FocalTverskyLoss(nn.Module):
    def __init__(self, alpha=0.3, beta=0.7, gamma=1.5, smooth=1.0):
        super().__init__()
        self.alpha, self.beta, self.gamma, self.smooth = alpha, beta, gamma, smooth

    def forward(self, logits, target):
        p = torch.sigmoid(logits)
        tp = (p * target).sum()
        fp = (p * (1 - target)).sum()
        fn = ((1 - p) * target).sum()
        index = (tp + self.smooth) / (tp + self.alpha * fp + self.beta * fn + self.smooth)
        return (1 - index) ** self.gamma


class ExactDice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, y_pred, y_true):
        top = 2 * (y_pred * y_true).sum() + 1.0
        total = y_pred.sum() + y_true.sum() + 1.0
        ctx.save_for_backward(y_true, top, total)
        return 1 - top / total

    @staticmethod
    def backward(ctx, grad_output):
        y_true, top, total = ctx.saved_tensors
        return grad_output * (top / total**2 - 2 * y_true / total), None


def exact_dice_loss(y_pred, y_true):
    return ExactDice.apply(y_pred, y_true)
