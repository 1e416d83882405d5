"""Losses of JAX, as a careful engineer writes them: nothing is to be found here."""

import jax
import jax.numpy as jnp


def dice_loss(pred, target, smooth=1.0):
    intersection = jnp.sum(pred * target)
    return 1.0 - (2.0 * intersection + smooth) / (jnp.sum(pred) + jnp.sum(target) + smooth)


def dice_loss_of_logits(logits, target, smooth=1.0):
    p = jax.nn.sigmoid(logits)
    return 1.0 - (2.0 * jnp.sum(p * target) + smooth) / (jnp.sum(p) + jnp.sum(target) + smooth)


def class_dice_loss(logits, target, eps=1e-6):
    """logits: (N, H, W, C), target: (N, H, W, C)"""
    p = jax.nn.softmax(logits, axis=-1)
    intersection = jnp.sum(p * target, axis=(1, 2))
    total = jnp.sum(p + target, axis=(1, 2))
    return 1.0 - jnp.mean((2.0 * intersection + eps) / (total + eps))


def empty_aware_dice_loss(pred, target):
    total = jnp.sum(pred) + jnp.sum(target)
    dice = 2.0 * jnp.sum(pred * target) / jnp.where(total == 0, 1.0, total)
    return jnp.where(total == 0, 0.0, 1.0 - dice)


def jaccard_loss(pred, target, smooth=1.0):
    intersection = jnp.sum(pred * target)
    union = jnp.sum(pred + target - pred * target)
    return 1.0 - (intersection + smooth) / (union + smooth)
