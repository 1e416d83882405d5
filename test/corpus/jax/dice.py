"""Dice losses in JAX, as segmentation code bases write them."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax


# case: dice_loss(probabilities(2, 3, 8), mask(2, 3, 8))
# case: dice_loss(probabilities(4, 1, 5, 5), mask(4, 1, 5, 5), smooth=each(0.0, 1.0))
@jax.jit
def dice_loss(pred, target, smooth=1e-6):
    axes = tuple(range(2, pred.ndim))
    intersection = jnp.sum(pred * target, axis=axes)
    total = jnp.sum(pred, axis=axes) + jnp.sum(target, axis=axes)
    return 1.0 - jnp.mean((2.0 * intersection + smooth) / (total + smooth))


# case: squared_dice(logits(3, 6, 6), soft(3, 6, 6), power=each(1, 2))
@partial(jax.jit, static_argnums=(2,))
def squared_dice(logits, labels, power=2):
    p = jax.nn.sigmoid(logits)
    if power == 2:
        bottom = jnp.square(p).sum() + jnp.square(labels).sum()
    else:
        bottom = p.sum() + labels.sum()
    return 1 - 2 * jnp.vdot(p, labels) / lax.max(bottom, 1e-7)


def _one_sample(logits, mask, ignore_empty):
    probs = jax.nn.softmax(logits, axis=-1)
    flat = probs.reshape((-1, probs.shape[-1]))
    one_hot = jax.nn.one_hot(mask.ravel(), probs.shape[-1])
    tp = jnp.einsum("nc,nc->c", flat, one_hot)
    total = flat.sum(0) + one_hot.sum(0)
    dice = jnp.where(total > 0, 2 * tp / jnp.where(total > 0, total, 1.0), jnp.nan)
    return jnp.where(jnp.isnan(dice) | (one_hot.sum(0) == 0), 0.0 if ignore_empty else 1.0, dice)


# case: batched_multiclass(logits(2, 4, 4, 3), labels(2, 4, 4, classes=3))
# case: batched_multiclass(logits(3, 5, 2), labels(3, 5, classes=2), ignore_empty=False)
def batched_multiclass(logits, mask, ignore_empty=True):
    """One loss a sample by vmap, as diffusion segmentation code writes it."""
    per_class = jax.vmap(_one_sample, in_axes=(0, 0, None))(logits, mask, ignore_empty)
    return 1.0 - per_class[:, 1:].mean()


# case: generalized_dice(simplex(2, 3, 7), onehot(2, 3, 7))
# case: generalized_dice(simplex(2, 3, 7), onehot(2, 3, 7), weight_type=each("simple", "uniform"))
def generalized_dice(probs, target, weight_type="square", eps=1e-6):
    volumes = jnp.sum(target, axis=2)
    if weight_type == "square":
        w = 1.0 / (volumes**2 + eps)
    elif weight_type == "simple":
        w = jnp.reciprocal(volumes + eps)
    else:
        w = jnp.ones_like(volumes)
    w = lax.stop_gradient(w)
    numerator = (w * jnp.sum(probs * target, axis=-1)).sum(axis=1)
    denominator = (w * jnp.sum(probs + target, axis=-1)).sum(axis=1)
    return jnp.mean(1 - 2 * numerator / (denominator + eps))


# case: empty_aware(probabilities(2, 9), mask(2, 9))
# case: empty_aware(probabilities(2, 9), zeros(2, 9))
def empty_aware(p, g):
    def overlap(_):
        return 1.0 - 2.0 * jnp.sum(p * g) / (jnp.sum(p) + jnp.sum(g))

    def only_background(_):
        return jnp.sum(p) / p.size

    return lax.cond(jnp.sum(g) > 0, overlap, only_background, None)


# case: per_class_loop(logits(2, 3, 5), onehot(2, 3, 5))
# case: per_class_loop(logits(2, 4, 3, 3), onehot(2, 4, 3, 3))
def per_class_loop(logits, target):
    p = jax.nn.softmax(logits, axis=1)

    def body(c, total):
        a = lax.dynamic_index_in_dim(p, c, axis=1, keepdims=False)
        b = lax.dynamic_index_in_dim(target, c, axis=1, keepdims=False)
        return total + 2.0 * jnp.sum(a * b) / (jnp.sum(a) + jnp.sum(b) + 1e-5)

    return 1.0 - lax.fori_loop(0, p.shape[1], body, 0.0) / p.shape[1]


# case: scanned(probabilities(4, 6), mask(4, 6))
# case: scanned(probabilities(3, 2, 5), mask(3, 2, 5))
def scanned(preds, masks):
    """Ratio of sums, gathered sample by sample."""

    def step(carry, sample):
        top, bottom = carry
        p, g = sample
        top = top + jnp.sum(p * g)
        bottom = bottom + jnp.sum(p) + jnp.sum(g)
        return (top, bottom), 2 * jnp.sum(p * g)

    (top, bottom), tops = lax.scan(step, (0.0, 0.0), (preds, masks))
    return 1 - 2 * top / bottom + 0.01 * jnp.mean(tops)
