"""Variances of entries that a mask picks in JAX, beside Dice."""

import jax
import jax.numpy as jnp


# case: even_inside(logits(2, 5, 5), mask(2, 5, 5), ddof=each(0, 1))
def even_inside(z, t, ddof):
    p, inside = jax.nn.sigmoid(z), t > 0.5
    dice = 1 - (2 * jnp.sum(p * t) + 1) / (jnp.sum(p) + jnp.sum(t) + 1)
    return dice + jnp.var(p[inside], ddof=ddof) + 0.5 * p[~inside].std()
