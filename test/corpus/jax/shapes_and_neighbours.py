"""Losses in JAX that turn, pad and join arrays, look at neighbours, and leave out NaN."""

import jax.numpy as jnp


def soft_dice(p, t, axis=None):
    inter = jnp.sum(p * t, axis)
    return 1 - (2 * inter + 1) / (jnp.sum(p, axis) + jnp.sum(t, axis) + 1)


# case: averaged_over_turns(probabilities(5, 5), mask(5, 5))
def averaged_over_turns(p, t):
    views = [jnp.rot90(p, k) for k in range(4)] + [jnp.fliplr(p), jnp.flipud(p)]
    return jnp.mean(jnp.array([soft_dice(v, t) for v in views]))


# case: boundary_dice(probabilities(6, 7), mask(6, 7), mode=each("edge", "reflect", "symmetric"))
# case: boundary_dice(probabilities(6, 7), mask(6, 7), mode=each("wrap", "constant"))
def boundary_dice(p, t, mode):
    def edges(m):
        q = jnp.pad(m, ((1, 1), (1, 1)), mode=mode)
        around = q[:-2, 1:-1] + q[2:, 1:-1] + q[1:-1, :-2] + q[1:-1, 2:]
        return (m - around / 4) ** 2

    return soft_dice(edges(p), edges(t))


# case: background_first(probabilities(4, 4), mask(4, 4))
def background_first(p, t):
    both = jnp.dstack([1 - p, p])
    wanted = jnp.dstack([1 - t, t])
    return jnp.mean(soft_dice(both, wanted, axis=(0, 1)))


# case: gradient_dice(probabilities(5, 6), mask(5, 6))
def gradient_dice(p, t):
    gy, gx = jnp.gradient(p)
    ty, tx = jnp.gradient(t)
    return soft_dice(p, t) + 0.1 * jnp.mean(jnp.hypot(gx - tx, gy - ty + 0.125))


# case: smoothed(probabilities(12), mask(12), mode=each("same", "full", "valid"))
def smoothed(p, t, mode):
    kernel = jnp.array([0.125, 0.25, 0.375, 0.25])
    other = jnp.correlate(p, kernel, mode=mode)
    return soft_dice(jnp.convolve(p, kernel, mode=mode), other)


# case: centred(probabilities(2, 3, 5), mask(2, 3, 5))
def centred(p, t):
    weight = p - jnp.median(p, axis=(1, 2), keepdims=True)
    spread = jnp.percentile(p, jnp.array([10, 90]), axis=2)
    return soft_dice(p, t) + jnp.mean(weight**2) + jnp.diff(spread, axis=0).mean()


# case: absent_classes(probabilities(3, 6), mask(3, 6))
def absent_classes(p, t):
    t = t * jnp.array([[1.0], [0.0], [1.0]])
    dice = jnp.where(t.sum(1) > 0, 2 * (p * t).sum(1) / (p + t).sum(1), jnp.nan)
    spread = 0.1 * jnp.nanstd(dice) + jnp.nanvar(dice, ddof=1)
    return 1 - jnp.nanmean(dice) + spread + jnp.nanmax(dice) - jnp.nanmin(dice)


# case: bounded(probabilities(2, 8), mask(2, 8))
def bounded(p, t):
    q = jnp.fmin(jnp.fmax(p, 0.1), 0.9)
    wave = jnp.sinc(p - 0.3) * jnp.cbrt(p) + jnp.tan(jnp.deg2rad(30 * p))
    return soft_dice(q, t) + 0.01 * jnp.mean(wave) + jnp.mean(jnp.fmod(3 * p, 1.0))


# case: at_bounds(mask(2, 8), probabilities(2, 8))
def at_bounds(t, p):
    """Where both are equal the gradient is the second one's."""
    q = jnp.where(t > 0.5, p, 0.5)
    return jnp.sum(jnp.fmax(q, 0.5) ** 2) + jnp.sum(jnp.fmin(q, p) ** 2) + soft_dice(q, t)


# case: parts(probabilities(2, 8), mask(2, 8))
def parts(p, t):
    fraction, whole = jnp.modf(4 * p)
    signed = jnp.copysign(fraction, t - 0.5)
    return soft_dice(p, t) + jnp.mean(signed * jnp.exp2(p)) + 0.1 * jnp.mean(whole * p)


# case: binned(probabilities(3, 6), mask(3, 6))
def binned(p, t):
    weights = jnp.array([1.0, 0.75, 0.5, 0.25])
    w = weights[jnp.digitize(p, jnp.array([0.25, 0.5, 0.75]))]
    return 1 - 2 * jnp.sum(w * p * t) / jnp.sum(w * (p + t))
