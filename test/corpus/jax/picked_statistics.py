"""Variances of entries that a mask picks in JAX, beside Dice."""

import jax
import jax.numpy as jnp


# case: even_inside(logits(2, 5, 5), mask(2, 5, 5), ddof=each(0, 1))
def even_inside(z, t, ddof):
    p, inside = jax.nn.sigmoid(z), t > 0.5
    dice = 1 - (2 * jnp.sum(p * t) + 1) / (jnp.sum(p) + jnp.sum(t) + 1)
    return dice + jnp.var(p[inside], ddof=ddof) + 0.5 * p[~inside].std()


# case: balanced(logits(2, 3, 4, 4), labels(2, 4, 4, classes=4), ignore=3)
def balanced(z, y, ignore):
    valid = y != ignore
    n = jnp.bincount(y[valid], length=3)
    w = n.sum() / (3 * n)
    p = jax.nn.softmax(jnp.moveaxis(z, 1, -1)[valid])
    t = jax.nn.one_hot(y[valid], 3)
    return 1 - jnp.mean(w * (2 * (p * t).sum(0) + 1) / (p.sum(0) + t.sum(0) + 1))


# case: sums_of_weights(probabilities(2, 4, 4), labels(2, 4, 4, classes=3))
def sums_of_weights(p, y):
    total = jnp.bincount(y.ravel(), weights=p.ravel(), length=3)
    return jnp.sum((total / jnp.bincount(y.ravel(), length=3) - 0.5) ** 2)
