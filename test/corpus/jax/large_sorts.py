"""Sorting of arrays with more entries than are compared with each other in a formula."""

import jax.numpy as jnp


# case: worst_errors(probabilities(72, 60), mask(72, 60))
def worst_errors(p, t):
    """Most errors are 0, and the sort is stable."""
    errors = jnp.maximum(jnp.abs(t - p) - 0.7, 0.0).ravel()
    order = jnp.argsort(-errors)[:1500]
    ranked = jnp.sort(errors)
    return ranked[-400:].mean() + (errors[order] * p.ravel()[order]).sum() + jnp.sort(p.ravel())[7]
