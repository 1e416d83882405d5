"""Losses of tensors, as a careful engineer writes them: nothing is to be found here."""

import torch
import torch.nn.functional as F


def dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth: float = 1.0) -> torch.Tensor:
    intersection = (y_pred * y_true).sum()
    return 1 - (2 * intersection + smooth) / (y_pred.sum() + y_true.sum() + smooth)


def dice_loss_with_logits(logits, target, smooth=1.0):
    probabilities = torch.sigmoid(logits)
    intersection = (probabilities * target).sum()
    return 1 - (2 * intersection + smooth) / (probabilities.sum() + target.sum() + smooth)


def batch_dice_loss(logits, target, smooth=1.0):
    """logits: (N, 1, H, W), target: (N, 1, H, W)"""
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    dice = (2 * (p * t).sum(1) + smooth) / (p.sum(1) + t.sum(1) + smooth)
    return 1 - dice.mean()


def multiclass_dice_loss(logits, target, eps=1e-6):
    """logits: (N, C, H, W), target: (N, C, H, W)"""
    p = torch.softmax(logits, dim=1)
    intersection = (p * target).sum(dim=(0, 2, 3))
    total = p.sum(dim=(0, 2, 3)) + target.sum(dim=(0, 2, 3))
    return 1 - ((2 * intersection + eps) / (total + eps)).mean()


def dice_loss_of_labels(logits, target, classes: int = 3, eps=1e-6):
    """logits: (N, C, H, W), target: (N, H, W)"""
    p = F.softmax(logits, dim=1)
    onehot = F.one_hot(target, classes).permute(0, 3, 1, 2).float()
    intersection = (p * onehot).sum(dim=(2, 3))
    total = p.sum(dim=(2, 3)) + onehot.sum(dim=(2, 3))
    return 1 - ((2 * intersection + eps) / (total + eps)).mean()


def squared_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, eps=1e-6):
    intersection = (y_pred * y_true).sum()
    return 1 - (2 * intersection + eps) / (y_pred.square().sum() + y_true.square().sum() + eps)


def generalized_dice_loss(logits, target, eps=1e-6):
    """logits: (N, C, H, W), target: (N, C, H, W)"""
    p = torch.softmax(logits, dim=1).flatten(2)
    t = target.flatten(2)
    weights = 1 / (t.sum(-1) ** 2).clamp(min=1.0)
    intersection = (weights * (p * t).sum(-1)).sum(1)
    total = (weights * (p + t).sum(-1)).sum(1)
    return (1 - (2 * intersection + eps) / (total + eps)).mean()


def tversky_loss(y_pred: torch.Tensor, y_true: torch.Tensor, alpha=0.3, beta=0.7, smooth=1.0):
    tp = (y_pred * y_true).sum()
    fp = (y_pred * (1 - y_true)).sum()
    fn = ((1 - y_pred) * y_true).sum()
    return 1 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)


def focal_tversky_loss(y_pred: torch.Tensor, y_true: torch.Tensor, gamma=4 / 3, smooth=1.0):
    tp = (y_pred * y_true).sum()
    fp = (y_pred * (1 - y_true)).sum()
    fn = ((1 - y_pred) * y_true).sum()
    return (1 - (tp + smooth) / (tp + 0.3 * fp + 0.7 * fn + smooth)) ** gamma


def log_cosh_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    dice = (2 * (y_pred * y_true).sum() + smooth) / (y_pred.sum() + y_true.sum() + smooth)
    return torch.log(torch.cosh(1 - dice))


def bce_dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits)
    dice = (2 * (p * target).sum() + smooth) / (p.sum() + target.sum() + smooth)
    return F.binary_cross_entropy_with_logits(logits, target) + 1 - dice


def jaccard_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    intersection = (y_pred * y_true).sum()
    union = y_pred.sum() + y_true.sum() - intersection
    return 1 - (intersection + smooth) / (union + smooth)


def log_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    dice = (2 * (y_pred * y_true).sum() + smooth) / (y_pred.sum() + y_true.sum() + smooth)
    return -torch.log(dice)


def masked_dice_loss(logits, target, ignore_index=255, smooth=1.0):
    """logits: (N, 1, H, W), target: (N, 1, H, W)"""
    valid = (target != ignore_index).float()
    p = torch.sigmoid(logits) * valid
    t = target * valid
    return 1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)


def safe_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor):
    total = y_pred.sum() + y_true.sum()
    is_empty = total == 0
    dice = 2 * (y_pred * y_true).sum() / torch.where(is_empty, 1.0, total)
    return torch.where(is_empty, 0.0, 1 - dice)


def half_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    p, t = y_pred.float(), y_true.float()
    return 1 - (2 * (p * t).sum() + smooth) / (p.sum() + t.sum() + smooth)


def dice_loss_of_present_classes(logits, target, classes=3, eps=1e-6):
    """logits: (N, C, H, W), target: (N, H, W)"""
    p = torch.softmax(logits, dim=1)
    losses = []
    for c in range(classes):
        t = (target == c).float()
        if t.sum() == 0:
            continue
        losses.append(1 - (2 * (p[:, c] * t).sum() + eps) / (p[:, c].sum() + t.sum() + eps))
    return torch.stack(losses).mean()


def lovasz_hinge_loss(logits, target):
    """logits: (P), target: (P)"""
    signs = 2 * target.float() - 1
    errors, order = torch.sort(1 - logits * signs, descending=True)
    sorted_target = target[order].float()
    total = sorted_target.sum()
    intersection = total - sorted_target.cumsum(0)
    union = total + (1 - sorted_target).cumsum(0)
    jaccard = 1 - intersection / union
    steps = torch.cat([jaccard[:1], jaccard[1:] - jaccard[:-1]])
    return torch.dot(F.relu(errors), steps)


def focal_loss(logits, target, gamma=2.0):
    """logits: (N, C, H, W), target: (N, H, W)"""
    ce = F.cross_entropy(logits, target.long(), reduction="none")
    return ((1 - torch.exp(-ce)) ** gamma * ce).mean()


def straight_through_dice_loss(y_pred: torch.Tensor, y_true: torch.Tensor, smooth=1.0):
    hard = (y_pred > 0.5).float()
    p = y_pred + (hard - y_pred).detach()
    return 1 - (2 * (p * y_true).sum() + smooth) / (p.sum() + y_true.sum() + smooth)
