"""Losses in JAX that choose by conditions, by places, or by what comes along an axis."""

import jax.numpy as jnp


def soft_dice(p, t, axis=None):
    inter = jnp.sum(p * t, axis)
    return 1 - (2 * inter + 1) / (jnp.sum(p, axis) + jnp.sum(t, axis) + 1)


# case: by_size(probabilities(3, 6), mask(3, 6))
def by_size(p, t):
    sizes = t.sum(axis=1)
    w = jnp.select([sizes < 2, sizes < 3], [4.0, 2.0], default=1.0)
    return jnp.sum(w * soft_dice(p, t, axis=1)) / jnp.sum(w)


# case: focal_pieces(probabilities(2, 7), mask(2, 7))
def focal_pieces(p, t):
    wrong = jnp.where(t > 0.5, 1 - p, p)
    pieces = [lambda e: e**2, lambda e: e - 0.25]
    cost = jnp.piecewise(wrong, [wrong < 0.5, wrong >= 0.5], pieces)
    return jnp.mean(cost) + soft_dice(p, t)


# case: pairs(probabilities(4, 6), mask(4, 6))
def pairs(p, t):
    overlap = p @ p.T / p.shape[1]
    upper = overlap[jnp.triu_indices(4, k=1)]
    own = jnp.fill_diagonal(overlap, 0.0, inplace=False)
    return jnp.mean(soft_dice(p, t, axis=1)) + jnp.mean(upper) + jnp.sum(own**2)


# case: any_class(probabilities(3, 8), mask(3, 8))
def any_class(p, t):
    union = 1 - jnp.multiply.reduce(1 - p, axis=0)
    wanted = jnp.logical_or.reduce(t > 0.5, axis=0)
    return soft_dice(union, wanted) + jnp.mean(jnp.maximum.reduce(p) * wanted)


# case: monotone(probabilities(7), mask(7))
def monotone(p, t):
    """Stages of a disease never go back."""
    return soft_dice(jnp.maximum.accumulate(p), t) + jnp.mean(jnp.add.accumulate(p) ** 2) / 100


# case: distances(probabilities(5), mask(6))
def distances(p, t):
    apart = jnp.subtract.outer(p, t)
    return jnp.mean(jnp.min(apart**2, axis=1)) + jnp.mean(jnp.multiply.outer(p, t))
