"""Sums up to a position in JAX."""

import jax.numpy as jnp


# case: cumulative(probabilities(2, 4, 5), mask(2, 4, 5))
# case: cumulative(probabilities(2, 90), mask(2, 90))
def cumulative(p, t):
    return jnp.mean((jnp.cumsum(p, axis=-1) - t.cumsum(axis=-1)) ** 2)
