"""Tversky, IoU and focal variants, and sums with cross entropy, in JAX."""

import dataclasses
from typing import NamedTuple, Optional

import jax
import jax.numpy as jnp
from jax.scipy.special import expit, logsumexp, xlogy


class Weights(NamedTuple):
    fp: float = 0.3
    fn: float = 0.7


# case: tversky(logits(2, 3, 6), mask(2, 3, 6))
# case: tversky(logits(2, 1, 4, 4), soft(2, 1, 4, 4), gamma=each(0.75, 1.3333))
def tversky(logits, target, weights=Weights(), gamma: float = 1.0, smooth=1.0):
    p = expit(logits)
    tp = (p * target).sum((-1,))
    fp = (p * (1 - target)).sum((-1,))
    fn = ((1 - p) * target).sum((-1,))
    index = (tp + smooth) / (tp + weights.fp * fp + weights.fn * fn + smooth)
    return jnp.power(1 - index, gamma).mean()


@dataclasses.dataclass(frozen=True)
class SoftIoU:
    axis: tuple = (1, 2)
    eps: float = 1e-7
    class_weights: Optional[tuple] = None
    reduction: str = "mean"

    def __call__(self, pred, target):
        inter = jnp.sum(pred * target, axis=self.axis)
        union = jnp.sum(pred + target - pred * target, axis=self.axis)
        loss = 1 - (inter + self.eps) / (union + self.eps)
        if self.class_weights is not None:
            loss = loss * jnp.asarray(self.class_weights)
        match self.reduction:
            case "mean":
                return loss.mean()
            case "sum":
                return loss.sum()
            case other:
                raise ValueError(f"unknown reduction {other}")


# case: soft_iou(probabilities(2, 4, 4, 3), mask(2, 4, 4, 3))
# case: SoftIoU(reduction="sum")(probabilities(2, 3, 5, 2), mask(2, 3, 5, 2))
# case: SoftIoU(class_weights=(0.25, 0.75))(probabilities(2, 3, 5, 2), mask(2, 3, 5, 2))
def soft_iou(pred, target):
    return SoftIoU()(pred, target)


# case: dice_ce(logits(2, 3, 4, 4), onehot(2, 3, 4, 4), alpha=each(0.3, 1.0))
def dice_ce(logits, onehot, alpha=0.5):
    log_p = jax.nn.log_softmax(logits, axis=1)
    ce = -jnp.mean(jnp.sum(onehot * log_p, axis=1))
    p = jnp.exp(log_p)
    dice = (2 * jnp.sum(p * onehot, (2, 3)) + 1e-5) / (jnp.sum(p + onehot, (2, 3)) + 1e-5)
    return alpha * ce + (1 - alpha) * (1 - dice.mean())


# case: dice_bce(logits(3, 7), mask(3, 7))
# case: dice_bce(logits(2, 2, 5), soft(2, 2, 5))
def dice_bce(logits, labels):
    """Binary cross entropy from logits, written with softplus."""
    bce = jnp.mean(jax.nn.softplus(logits) - labels * logits)
    p = jax.nn.sigmoid(logits)
    return bce + 1 - 2 * (p * labels).sum() / (p.sum() + labels.sum() + 1e-8)


# case: entropy_dice(probabilities(2, 8), mask(2, 8))
# case: entropy_dice(probabilities(2, 8), soft(2, 8))
def entropy_dice(p, t):
    ce = -(xlogy(t, p) + xlogy(1 - t, 1 - p)).mean()
    return ce - jnp.log(2 * jnp.sum(p * t) / jnp.sum(p + t))


# case: masked_dice(probabilities(2, 5, 5), mask(2, 5, 5), bools(2, 5, 5))
def masked_dice(p, g, valid):
    """Voxels that are not valid are set to zero in both."""
    p = p.at[~valid].set(0.0)
    g = jnp.where(valid, g, 0.0)
    return 1 - (2 * jnp.tensordot(p, g, 3) + 1) / (p.sum() + g.sum() + 1)


# case: border_weighted(probabilities(6, 6), mask(6, 6))
def border_weighted(p, g):
    weights = jnp.ones_like(p).at[1:-1, 1:-1].multiply(0.5).at[0, :].add(0.25)
    inter = jnp.sum(weights * p * g)
    return 1 - 2 * inter / jnp.sum(weights * (p + g))


# case: focal_dice(logits(2, 9), mask(2, 9), gamma=each(1.0, 2.0))
def focal_dice(logits, target, gamma=2.0):
    log_p = jax.nn.log_sigmoid(logits)
    p = jnp.exp(log_p)
    focal = -((1 - p) ** gamma) * target * log_p
    overlap = 2 * (p * target).sum(-1) / (p.sum(-1) + target.sum(-1))
    return jnp.clip(1 - overlap, 0.0, 1.0).mean() + focal.mean()


# case: logsumexp_dice(logits(2, 3, 4), onehot(2, 3, 4))
def logsumexp_dice(z, t):
    p = jnp.exp(z - logsumexp(z, axis=1, keepdims=True))
    per_class = jax.vmap(
        lambda a, b: 2 * jnp.dot(a.ravel(), b.ravel()) / (a.sum() + b.sum()),
        in_axes=1,
    )(p, t)
    return 1 - per_class.mean()


# case: l1_dice(probabilities(2, 2, 6), soft(2, 2, 6))
def l1_dice(p, t):
    """The semimetric loss, whose intersection is written with the distance of p and t."""
    difference = jnp.abs(p - t).sum(-1)
    total = p.sum(-1) + t.sum(-1)
    return 1 - ((total - difference) / jnp.clip(total, min=1e-6)).mean()


# case: pair_overlap(probabilities(3, 5), mask(4, 5))
def pair_overlap(queries, masks):
    """A matrix of Dice losses of every query with every mask."""

    def dice(q, m):
        return 1 - (2 * jnp.sum(q * m) + 1) / (jnp.sum(q) + jnp.sum(m) + 1)

    costs = jax.vmap(lambda q: jax.vmap(lambda m: dice(q, m))(masks))(queries)
    return jnp.sum(costs * costs.T[: costs.shape[1]].T)
