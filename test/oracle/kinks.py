"""The slope that each library takes at a kink."""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import tensorflow as tf
import torch

jax.config.update("jax_enable_x64", True)


def by_torch(f, x):
    v = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    f(v).backward()
    return v.grad.item()


def by_tensorflow(f, x):
    v = tf.constant(x, dtype=tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(v)
        y = f(v)
    return float(tape.gradient(y, v))


def by_jax(f, x):
    return float(jax.grad(f)(jnp.float64(x)))


def by_autograd(f, x):
    return float(autograd.grad(f)(x))


ONE = torch.tensor(1.0, dtype=torch.float64)
KINKS = {
    "abs": ((torch.abs, tf.abs, jnp.abs, anp.abs), 0.0),
    "relu": ((torch.relu, tf.nn.relu, jax.nn.relu, lambda v: anp.maximum(v, 0.0)), 0.0),
    "extreme": (
        (
            lambda v: torch.maximum(v, ONE),
            lambda v: tf.maximum(v, tf.constant(1.0, tf.float64)),
            lambda v: jnp.maximum(v, 1.0),
            lambda v: anp.maximum(v, 1.0),
        ),
        1.0,
    ),
    "clamp": (
        (
            lambda v: torch.clamp(v, 0.25, 0.75),
            lambda v: tf.clip_by_value(v, 0.25, 0.75),
            lambda v: jnp.clip(v, 0.25, 0.75),
            lambda v: anp.clip(v, 0.25, 0.75),
        ),
        0.25,
    ),
}
LIBRARIES = {
    "PyTorch": by_torch,
    "TensorFlow": by_tensorflow,
    "JAX": by_jax,
    "HIPS Autograd": by_autograd,
}
print(
    json.dumps(
        {
            name: {
                library: measure(f, x)
                for (library, measure), f in zip(LIBRARIES.items(), functions)
            }
            for name, (functions, x) in KINKS.items()
        }
    )
)
