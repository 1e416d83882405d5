"""Sums of entries by label in JAX."""

import jax
import jax.numpy as jnp


# case: dice_of_regions(probabilities(4, 4), mask(4, 4), labels(4, 4, classes=4))
def dice_of_regions(p, t, regions):
    at = regions.ravel()
    overlap = jax.ops.segment_sum((p * t).ravel(), at, num_segments=4)
    total = jnp.zeros(4).at[at].add((p + t).ravel())
    return 1 - jnp.mean((2 * overlap + 1) / (total + 1))


# case: soft_confusion(simplex(6, 3), labels(6, classes=3))
def soft_confusion(p, y):
    matrix = jnp.ones((3, 3)).at[y].add(p).at[y, 0].subtract(0.5)
    return jnp.sum(jnp.log(matrix) ** 2)
