"""Losses in JAX on feature maps: windows, convolutions with fixed kernels, and activations."""

import jax
import jax.numpy as jnp
from jax import lax


def soft_dice(p, t, axis=None):
    inter = jnp.sum(p * t, axis)
    return 1 - (2 * inter + 1) / (jnp.sum(p, axis) + jnp.sum(t, axis) + 1)


def dilate(x, size=3):
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, size, size), (1, 1, 1), "SAME")


def erode(x, size=3):
    return lax.reduce_window(x, jnp.inf, lax.min, (1, size, size), (1, 1, 1), "SAME")


# case: border_dice(probabilities(2, 6, 7), mask(2, 6, 7), size=each(3, 2))
def border_dice(p, t, size):
    """The border is where dilation and erosion differ."""
    return soft_dice(dilate(p, size) - erode(p, size), dilate(t, size) - erode(t, size))


# case: coarse_dice(probabilities(2, 6, 8), mask(2, 6, 8), padding=each("VALID", "SAME"))
# case: coarse_dice(probabilities(2, 5, 7), mask(2, 5, 7), padding=((0, 0), (1, 0), (1, 1)))
def coarse_dice(p, t, padding):
    def pooled(x):
        window, strides = (1, 2, 2), (1, 2, 2)
        return lax.reduce_window(x, 0.0, lax.add, window, strides, padding) / 4

    return soft_dice(p, t) + soft_dice(pooled(p), pooled(t))


LAPLACE = jnp.array([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
SOBEL = jnp.array([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])


# case: laplacian(probabilities(2, 1, 6, 7), mask(2, 1, 6, 7), padding=each("SAME", "VALID"))
def laplacian(p, t, padding):
    kernel = LAPLACE[None, None]
    edges = [lax.conv(x, kernel, (1, 1), padding) for x in (p, t)]
    return soft_dice(jnp.tanh(edges[0]) ** 2, jnp.tanh(edges[1]) ** 2)


# case: sobel(probabilities(2, 6, 7, 3), mask(2, 6, 7, 3))
def sobel(p, t):
    """Channels last, each by itself, in both directions."""
    kernel = jnp.stack([SOBEL, SOBEL.T] * 3, axis=-1)[:, :, None, :]

    def edges(x):
        return lax.conv_general_dilated(
            x,
            kernel,
            window_strides=(1, 1),
            padding=[(1, 1), (1, 1)],
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=3,
        )

    return soft_dice(p, t) + jnp.mean((edges(p) - edges(t)) ** 2)


# case: wide(probabilities(1, 2, 9), mask(1, 2, 9))
def wide(p, t):
    kernel = jnp.array([[[0.25, 0.5], [0.5, 0.25]]])

    def smooth(x):
        dilated = {"rhs_dilation": (2,)}
        return lax.conv_general_dilated(x, kernel, (2,), "SAME", **dilated)

    return soft_dice(smooth(p), smooth(t)) + soft_dice(p, t)


ACTIVATIONS = {
    "celu": jax.nn.celu,
    "elu": jax.nn.elu,
    "gelu": jax.nn.gelu,
    "hard_sigmoid": jax.nn.hard_sigmoid,
    "hard_swish": jax.nn.hard_swish,
    "hard_tanh": jax.nn.hard_tanh,
    "leaky_relu": jax.nn.leaky_relu,
    "mish": jax.nn.mish,
    "relu6": jax.nn.relu6,
    "selu": jax.nn.selu,
    "silu": jax.nn.silu,
    "soft_sign": jax.nn.soft_sign,
    "sparse_plus": jax.nn.sparse_plus,
    "squareplus": jax.nn.squareplus,
}


# case: activated(logits(2, 9), mask(2, 9), name=each("celu", "elu", "gelu", "hard_sigmoid"))
# case: activated(logits(2, 9), mask(2, 9), name=each("hard_swish", "hard_tanh", "leaky_relu"))
# case: activated(logits(2, 9), mask(2, 9), name=each("mish", "relu6", "selu", "silu"))
# case: activated(logits(2, 9), mask(2, 9), name=each("soft_sign", "sparse_plus", "squareplus"))
def activated(z, t, name):
    features = ACTIVATIONS[name](z)
    return soft_dice(jax.nn.sigmoid(features), t) + 0.01 * jnp.mean(features**2)


# case: gated(logits(2, 8), mask(2, 4))
def gated(z, t):
    features = jax.nn.glu(jax.nn.standardize(z), axis=1)
    return soft_dice(jax.nn.sigmoid(features), t)
