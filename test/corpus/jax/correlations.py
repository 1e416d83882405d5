"""Losses by correlations in JAX, and by histograms of targets."""

import jax
import jax.numpy as jnp


# case: pearson(logits(4, 4), mask(4, 4))
def pearson(z, t):
    p = jax.nn.sigmoid(z).ravel()
    spread = jnp.cov(p, t.ravel(), bias=True)
    return 1 - jnp.corrcoef(p, t.ravel())[0, 1] + jnp.sum(spread)


# case: matched_shares(logits(2, 8), soft(2, 8))
def matched_shares(z, t):
    """Weights by how rare a target's value is, and its histogram beside that of the predictions."""
    p = jax.nn.sigmoid(z)
    n, edges = jnp.histogram(t, bins=4, range=(0, 1))
    at = jnp.clip((t * 4).astype(int), 0, 3)
    own, _ = jnp.histogram(p, bins=edges, density=True)
    sums, _ = jnp.histogram(t, bins=4, weights=p)
    return jnp.mean((p - t) ** 2 / n[at]) + jnp.sum(own) + jnp.sum(sums**2)
