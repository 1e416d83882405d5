"""Losses of HIPS Autograd, as a careful engineer writes them: nothing is to be found here."""

import autograd.numpy as np


def dice_loss(y_pred, y_true, smooth=1.0):
    intersection = np.sum(y_pred * y_true)
    return 1.0 - (2.0 * intersection + smooth) / (np.sum(y_pred) + np.sum(y_true) + smooth)


def squared_dice_loss(y_pred, y_true, eps=1e-6):
    total = np.sum(y_pred**2) + np.sum(y_true**2)
    return 1.0 - (2.0 * np.sum(y_pred * y_true) + eps) / (total + eps)


def tversky_loss(y_pred, y_true, alpha=0.3, beta=0.7, smooth=1.0):
    tp = np.sum(y_pred * y_true)
    fp = np.sum(y_pred * (1 - y_true))
    fn = np.sum((1 - y_pred) * y_true)
    return 1.0 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)
