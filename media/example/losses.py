"""Three Dice losses as people write them, and one as a module.

All of them are soft: they take probabilities (or logits, where a sigmoid is inside), not a
thresholded prediction. Shapes below use N for the number of elements; the arrays may have any
shape, as long as both have the same one.
"""

import numpy as np
import torch
from torch import nn


def dice_loss_plain(y_true, y_pred):
    """Dice loss in NumPy, without smoothing.

    y_true: mask of 0 and 1, any shape.
    y_pred: probabilities in [0, 1], the same shape.
    Returns a scalar in [0, 1]; 0 / 0, hence nan, when both arrays are all zero.
    """
    intersection = np.sum(y_true * y_pred)
    return 1 - 2 * intersection / (np.sum(y_true) + np.sum(y_pred))


def dice_loss_smooth(y_true, y_pred, epsilon=1e-7):
    """Dice loss in NumPy, with epsilon in numerator and denominator.

    y_true: mask of 0 and 1, any shape.
    y_pred: probabilities in [0, 1], the same shape.
    Returns a scalar in [0, 1]; 0 when both arrays are all zero.
    """
    intersection = np.sum(y_true * y_pred)
    total = np.sum(y_true) + np.sum(y_pred)
    return 1 - (2 * intersection + epsilon) / (total + epsilon)


def dice_loss_torch(logits, target, epsilon=1e-7):
    """Dice loss in PyTorch, with the sigmoid inside and the same epsilon.

    logits: tensor of any shape, unbounded.
    target: tensor of 0 and 1, the same shape.
    Both are flattened to (N,). Returns a tensor of shape ().
    """
    probability = torch.sigmoid(logits).view(-1)
    target = target.view(-1)
    intersection = (probability * target).sum()
    total = probability.sum() + target.sum()
    return 1 - (2 * intersection + epsilon) / (total + epsilon)


class DiceLoss(nn.Module):
    """The PyTorch loss as a module, with the larger smoothing that is common in training code.

    smooth: added to numerator and denominator.
    """

    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, target):
        """Logits and target of one shape, flattened to (N,). Returns a tensor of shape ()."""
        probability = torch.sigmoid(logits).view(-1)
        target = target.view(-1)
        intersection = (probability * target).sum()
        total = probability.sum() + target.sum()
        return 1 - (2.0 * intersection + self.smooth) / (total + self.smooth)
