"""Losses of arrays, as a careful engineer writes them: nothing is to be found here."""

import numpy as np


def dice_loss(y_pred, y_true, smooth=1.0):
    intersection = np.sum(y_pred * y_true)
    return 1.0 - (2.0 * intersection + smooth) / (np.sum(y_pred) + np.sum(y_true) + smooth)


def squared_dice_loss(y_pred, y_true, eps=1e-6):
    intersection = np.sum(y_pred * y_true)
    total = np.sum(y_pred**2) + np.sum(y_true**2)
    return 1.0 - (2.0 * intersection + eps) / (total + eps)


def jaccard_loss(y_pred, y_true, smooth=1.0):
    intersection = np.sum(y_pred * y_true)
    union = np.sum(y_pred) + np.sum(y_true) - intersection
    return 1.0 - (intersection + smooth) / (union + smooth)


def tversky_loss(y_pred, y_true, alpha=0.3, beta=0.7, smooth=1.0):
    tp = np.sum(y_pred * y_true)
    fp = np.sum(y_pred * (1 - y_true))
    fn = np.sum((1 - y_pred) * y_true)
    return 1.0 - (tp + smooth) / (tp + alpha * fp + beta * fn + smooth)


def guarded_dice_loss(y_pred, y_true):
    total = np.sum(y_pred) + np.sum(y_true)
    if total == 0:
        return 0.0
    return 1.0 - 2.0 * np.sum(y_pred * y_true) / total


def class_dice_loss(y_pred, y_true, eps=1e-5):
    """y_pred: (N, C, H, W), y_true: (N, C, H, W)"""
    intersection = np.sum(y_pred * y_true, axis=(2, 3))
    total = np.sum(y_pred, axis=(2, 3)) + np.sum(y_true, axis=(2, 3))
    return 1.0 - np.mean((2.0 * intersection + eps) / (total + eps))


def cross_entropy_loss(y_pred, y_true, eps=1e-7):
    p = np.clip(y_pred, eps, 1 - eps)
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


def logits_dice_loss(logits, y_true, smooth=1.0):
    p = 1.0 / (1.0 + np.exp(-logits))
    return 1.0 - (2.0 * np.sum(p * y_true) + smooth) / (np.sum(p) + np.sum(y_true) + smooth)
