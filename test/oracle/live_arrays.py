"""A program to be paused: python live_arrays.py FOLDER

Its functions hold arrays of every kind in local variables. What their elements are is written into
FOLDER by each library's own means: NAME.bin, row-major and little-endian.
"""

import json
import pathlib
import sys
import warnings

import autograd
import autograd.numpy as anp
import jax
import jax.numpy as jnp
import keras
import ml_dtypes
import numpy as np
import tensorflow as tf
import torch
from monai.data import MetaTensor

folder = pathlib.Path(sys.argv[1])
random = np.random.default_rng(0)
wanted = {}


def expect(name, array, dtype=None):
    """What is to be read of a variable."""
    array = np.asarray(array)
    dtype = dtype or array.dtype.name
    little = array if dtype == "bfloat16" else array.astype(array.dtype.newbyteorder("<"))
    (folder / f"{name}.bin").write_bytes(little.tobytes(order="C"))
    wanted[name] = {"dtype": dtype, "shape": list(array.shape)}
    (folder / "wanted.json").write_text(json.dumps(wanted))


def bits(tensor):
    return tensor.detach().contiguous().view(torch.uint16).numpy()


def numpy_arrays():
    c_order = random.random((2, 3, 4)).astype(np.float32)
    fortran = np.asfortranarray(random.random((3, 4, 5)))
    sliced = random.random((6, 8))[::2, ::-3]
    transposed = random.random((2, 3, 4)).transpose(2, 0, 1)
    broadcast = np.broadcast_to(np.arange(3.0), (4, 3))
    big_endian = random.random((2, 3)).astype(">f4")
    big_integers = np.array([1, -2, 2**62], dtype=">i8")
    zero_d = np.array(0.25)
    scalar = np.float32(0.1)
    empty = np.zeros((0, 3), dtype=np.float32)
    truth = random.random((5, 7)) < 0.5
    halves = random.random(9).astype(np.float16)
    brain = random.random((2, 5)).astype(ml_dtypes.bfloat16)
    complexes = random.random(4) + 1j * random.random(4)
    unsigned = np.array([0, 2**64 - 1], dtype=np.uint64)
    bytes_ = np.arange(256, dtype=np.uint8).reshape(16, 16)
    mapped = np.memmap(folder / "mapped.raw", dtype=np.int16, mode="w+", shape=(3, 2))
    mapped[:] = random.integers(-9, 9, (3, 2))
    matrix = np.asmatrix(random.random((2, 2)))
    unmasked = np.ma.masked_array(random.random(3), mask=False)
    large = random.random((5, 1000, 257)).astype(np.float32)[:, ::2]
    for name, value in list(locals().items()):
        if name == "brain":
            expect(name, value.view(np.uint16), "bfloat16")
        else:
            expect(name, np.asarray(value))
    numbers = [[0.5, 1], [2, True]]
    expect("numbers", np.array(numbers, dtype=np.float64))
    integers = (3, 2, 1)
    expect("integers", np.array(integers, dtype=np.int64))
    flags = [True, False]
    expect("flags", np.array(flags))
    batch = {"mask": [np.eye(3), np.ones(2)]}

    masked = np.ma.masked_array([1.0, 2.0, 3.0], mask=[0, 1, 0])
    objects = np.array([1.0, None], dtype=object)
    records = np.zeros(2, dtype=[("mask", "f4"), ("id", "i4")])
    words = np.array(["a", "b"])
    dates = np.array(["2026-01-01"], dtype="datetime64[D]")
    wide = np.ones(2, dtype=np.longdouble)
    tiny = np.ones(2, dtype=ml_dtypes.float8_e4m3fn)
    ragged = [[1.0], [2.0, 3.0]]
    several = [np.eye(2), np.eye(3)]
    nothing = None
    return locals()  # stop: numpy


def torch_tensors():
    torch.manual_seed(0)
    leaf = torch.rand(2, 1, 4, 4, requires_grad=True)
    doubled = leaf * 2
    (doubled**2).sum().backward()
    parameter = torch.nn.Parameter(torch.rand(3))
    transposed = torch.rand(3, 4, 5).permute(2, 0, 1)
    expanded = torch.rand(3, 1).expand(3, 4)
    zero_d = torch.tensor(0.5)
    empty = torch.zeros(2, 0, 3)
    truth = torch.rand(4, 4) > 0.5
    classes = torch.randint(0, 5, (2, 3))
    unsigned = torch.tensor([1, 65535], dtype=torch.uint16)
    halves = torch.rand(7).half()
    brain = torch.rand(2, 3).bfloat16().t()
    conjugate = torch.complex(torch.rand(3), torch.rand(3)).conj()
    meta_tensor = MetaTensor(torch.rand(1, 4, 4))
    expect("leaf_grad", leaf.grad.numpy())
    for name, value in list(locals().items()):
        if name == "brain":
            expect(name, bits(value), "bfloat16")
        elif torch.is_tensor(value):
            plain = value.as_tensor() if isinstance(value, MetaTensor) else value
            expect(name, plain.detach().resolve_conj().numpy())

    sparse = torch.eye(3).to_sparse()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantized = torch.quantize_per_tensor(torch.tensor([0.1, 0.2]), 0.1, 0, torch.quint8)
        nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    meta = torch.rand(2, 2, device="meta")
    narrow = torch.ones(2).to(torch.float8_e4m3fn)
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        fake = torch.zeros(3)
    model = torch.nn.Linear(2, 2)
    return locals()  # stop: torch


def tensorflow_tensors():
    eager = tf.constant(random.random((2, 3)), tf.float32)
    brain = tf.cast(eager, tf.bfloat16)
    truth = eager > 0.5
    classes = tf.constant([[1, 2]], tf.int64)
    variable = tf.Variable(random.random(4))
    layer_weight = keras.Variable(random.random((2, 2)))
    expect("eager", eager.numpy())
    expect("brain", brain.numpy().view(np.uint16), "bfloat16")
    expect("truth", truth.numpy())
    expect("classes", classes.numpy())
    expect("variable", variable.numpy())
    expect("layer_weight", layer_weight.numpy())
    sparse = tf.sparse.from_dense([[1.0, 0.0]])
    ragged = tf.ragged.constant([[1.0], [2.0, 3.0]])
    words = tf.constant(["a"])
    symbolic = keras.Input((3,))
    watched = None
    with tf.GradientTape() as tape:
        watched = len(tape.watched_variables())  # stop: tensorflow
        watched = len(tape.watched_variables())
    return locals()  # stop: after the tape


@tf.function(autograph=False)
def in_graph(y_pred):
    total = tf.reduce_sum(y_pred)
    return total  # stop: graph


def jax_arrays():
    plain = jnp.asarray(random.random((2, 3)), jnp.float32)
    brain = plain.astype(jnp.bfloat16).T
    classes = jnp.arange(4)
    expect("plain", np.asarray(plain))
    expect("brain", np.asarray(brain).view(np.uint16), "bfloat16")
    expect("classes", np.asarray(classes))
    key = jax.random.key(0)
    deleted = jnp.ones(3)
    deleted.delete()
    small = jnp.ones(2, jnp.float8_e4m3fn)
    return locals()  # stop: jax


def dice(y_pred):
    activated = 1 / (1 + anp.exp(-y_pred)) if isinstance(y_pred, autograd.tracer.Box) else y_pred * 2
    return activated.sum() if not isinstance(y_pred, autograd.tracer.Box) else anp.sum(activated)  # stop: dice


def calls():
    """Losses that a library differentiates, paused inside."""
    y = random.random(3)
    expect("boxed", y)
    autograd.grad(dice)(y)
    y = jnp.asarray(random.random(3), jnp.float32)
    expect("traced", np.asarray(y))
    expect("traced_twice", np.asarray(y) * 2)
    jax.value_and_grad(dice)(y)
    jax.jit(dice)(y)
    y = torch.rand(3)
    expect("transformed", y.numpy())
    expect("transformed_twice", y.numpy() * 2)
    torch.func.grad(dice)(y)
    torch.vmap(dice)(torch.rand(2, 3))


if __name__ == "__main__":
    numpy_arrays()
    torch_tensors()
    tensorflow_tensors()
    in_graph(tf.constant([1.0]))
    jax_arrays()
    calls()
