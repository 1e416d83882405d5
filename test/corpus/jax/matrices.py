"""Losses in JAX with small matrices, norms, and what runs along an axis."""

import jax.numpy as jnp
from jax import lax


def soft_dice(p, t):
    return 1 - (2 * jnp.sum(p * t) + 1) / (jnp.sum(p) + jnp.sum(t) + 1)


# case: volumes(probabilities(2, 3, 3), mask(2, 3, 3))
def volumes(p, t):
    a = p + 2 * jnp.eye(3)
    sign, log = jnp.linalg.slogdet(a)
    inverse = jnp.linalg.inv(a)
    solved = jnp.linalg.solve(a, t)
    return soft_dice(p, t) + jnp.sum(sign * log) + jnp.mean(inverse**2) + jnp.mean(solved)


# case: norms(probabilities(3, 4), mask(3, 4))
def norms(p, t):
    d = p - t + 0.25
    largest = jnp.linalg.norm(d, 1) + jnp.linalg.norm(d, jnp.inf)
    rows = jnp.linalg.vector_norm(d, axis=1)
    return soft_dice(p, t) + jnp.mean(rows) + largest / 10 + jnp.linalg.norm(d, "fro")


# case: directions(probabilities(4, 3), mask(4, 3))
def directions(p, t):
    """How far normals turn."""
    turned = jnp.cross(p, t + jnp.array([1.0, 0.5, 0.25]))
    return soft_dice(p, t) + jnp.mean(turned**2) + jnp.mean(jnp.vecdot(p, t))


# case: running(probabilities(2, 6), mask(2, 6), reverse=each(False, True))
def running(p, t, reverse):
    highest = lax.cummax(p, axis=1, reverse=reverse)
    survival = lax.cumprod(1 - p, axis=1, reverse=reverse)
    mass = lax.cumsum(p, axis=1, reverse=reverse) - jnp.cumsum(t, axis=1)
    return soft_dice(highest, t) + jnp.mean(survival) + jnp.mean(mass**2) / 10


# case: typed(probabilities(2, 6), mask(2, 6))
def typed(p, t):
    if not jnp.issubdtype(p.dtype, jnp.floating):
        raise TypeError("the prediction must be real")
    return soft_dice(p, t.astype(jnp.result_type(p, t)))
