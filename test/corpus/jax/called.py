"""Losses in JAX that call a function for each row, or read curves between points."""

import jax.numpy as jnp


def row_dice(row):
    p, t = jnp.split(row, 2)
    return (2 * jnp.sum(p * t) + 1) / (jnp.sum(p) + jnp.sum(t) + 1)


# case: of_each_row(probabilities(4, 5), mask(4, 5))
def of_each_row(p, t):
    return 1 - jnp.mean(jnp.apply_along_axis(row_dice, 1, jnp.hstack([p, t])))


# case: calibrated(probabilities(3, 5), mask(3, 5))
def calibrated(p, t):
    """Probabilities corrected by a curve that was measured."""
    q = jnp.interp(p, jnp.array([0.125, 0.5, 0.75]), jnp.array([0.0, 0.375, 1.0]))
    return 1 - (2 * jnp.sum(q * t) + 1) / (jnp.sum(q) + jnp.sum(t) + 1)
