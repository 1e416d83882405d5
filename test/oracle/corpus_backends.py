"""How each library runs a call of the corpus and differentiates it, in float64."""

import importlib
import os
import pathlib
import sys
import types
import warnings

import numpy

warnings.simplefilter("ignore")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

# Installed without their heavy requirements: their losses are imported below bare parent packages,
# whose __init__ does not run.
BARE = (
    "segmentation_models_pytorch",
    "torchseg",
    "mmseg",
    "mmseg.models",
    "mmdet",
    "mmdet.models",
    "mmdet.models.losses",
    "pytorch_toolbelt",
    "ultralytics",
    "ultralytics.utils",
    "voxelmorph",
)

# Requirements that are not installed and that no loss of the corpus uses: their names can be
# imported, and nothing else.
ABSENT = ("mmcv", "mmcv.ops", "mmcv.cnn", "torchvision", "torchvision.ops")


class Absent(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*args, **kwargs):
            raise ModuleNotFoundError(f"{self.__name__}.{name} is not installed")

        return missing


def absent_requirements(names):
    for name in names:
        if name not in sys.modules:
            module = Absent(name)
            module.__path__ = []
            module.__version__ = "2.0.0"
            sys.modules[name] = module


def bare_parents():
    packages = pathlib.Path(numpy.__file__).parents[1]
    for name in BARE:
        if name not in sys.modules:
            module = types.ModuleType(name)
            module.__path__ = [str(packages.joinpath(*name.split(".")))]
            sys.modules[name] = module


def scalar_of(result, is_scalar):
    """The loss among what a function returned, as the inspector takes it."""
    if isinstance(result, dict):
        for key in ("total_loss", "loss"):
            if key in result:
                return result[key]
        return next(iter(result.values()))
    if isinstance(result, (tuple, list)):
        scalars = [x for x in result if is_scalar(x)]
        return scalars[0] if scalars else result[0]
    return result


class Torch:
    name = "torch"

    def __init__(self, absent=ABSENT):
        bare_parents()
        import torch

        absent_requirements(absent)

        self.torch = torch
        torch.set_default_dtype(torch.float64)
        torch.Tensor.float = torch.Tensor.double
        torch.Tensor.half = torch.Tensor.double
        torch.FloatTensor = torch.DoubleTensor
        self.float32 = torch.float32

    def wide(self, on):
        """Code that says float32 means float64 while a case runs."""
        for name in ("float32", "float"):
            setattr(self.torch, name, self.torch.float64 if on else self.float32)

    def execute(self, code, scope):
        exec(code, scope)

    def run(self, call, scope, arrays, wrt):
        torch = self.torch
        given = {k: torch.from_numpy(v.copy()) for k, v in arrays.items()}
        given[wrt].requires_grad_(True)
        self.wide(True)
        try:
            loss = scalar_of(eval(call, scope | given), lambda x: x.ndim == 0)
            total = loss.sum()
            if total.requires_grad:
                total.backward()
        finally:
            self.wide(False)
        gradient = given[wrt].grad
        if gradient is None:
            gradient = torch.zeros_like(given[wrt])
        return total.item(), gradient.detach().numpy()


# What Autograd raises where it cannot follow.
FOREIGN = (TypeError, ValueError, NotImplementedError, IndexError, AssertionError, RuntimeError)


class Autograd:
    """HIPS Autograd; it also stands in for NumPy in functions written with NumPy alone."""

    def __init__(self, name):
        self.name = name
        import autograd
        import autograd.numpy
        import scipy.ndimage  # it takes NumPy itself, whatever files that import it are given

        self.autograd = autograd
        self.numpy = autograd.numpy

    def execute(self, code, scope):
        if self.name == "numpy":
            real, sys.modules["numpy"] = sys.modules["numpy"], self.numpy
        try:
            exec(code, scope)
        finally:
            if self.name == "numpy":
                sys.modules["numpy"] = real

    def run(self, call, scope, arrays, wrt):
        def loss(x):
            result = eval(call, scope | arrays | {wrt: x})
            result = scalar_of(result, lambda v: numpy.ndim(v) == 0)
            return self.numpy.sum(result)

        try:
            value, gradient = self.autograd.value_and_grad(loss)(arrays[wrt])
            return value, gradient
        except FOREIGN:
            # Assignments into arrays are nothing that Autograd can follow, nor are some functions.
            return loss(arrays[wrt]), complex_step(loss, arrays[wrt])


def complex_step(loss, x, step=1e-40):
    """The gradient, exact to rounding for functions that work on complex numbers."""
    gradient = numpy.empty_like(x)
    for index in numpy.ndindex(x.shape):
        moved = x.astype(numpy.complex128)
        moved[index] += 1j * step
        gradient[index] = numpy.imag(loss(moved)) / step
    return gradient


class Jax:
    name = "jax"

    def __init__(self):
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        jnp.float32 = jnp.float64
        self.jax = jax
        self.jnp = jnp

    def execute(self, code, scope):
        exec(code, scope)

    def run(self, call, scope, arrays, wrt):
        given = {k: self.jnp.asarray(v) for k, v in arrays.items()}

        def loss(x):
            result = eval(call, scope | given | {wrt: x})
            return self.jnp.sum(scalar_of(result, lambda v: self.jnp.ndim(v) == 0))

        return self.jax.value_and_grad(loss)(given[wrt])


class TensorFlow:
    def __init__(self, name):
        self.name = name
        import tensorflow as tf
        import keras

        keras.config.set_floatx("float64")
        self.tf = tf
        wide = lambda dtype: tf.float64 if dtype in (tf.float32, "float32") else dtype
        cast = tf.cast
        tf.cast = lambda x, dtype, name=None: cast(x, wide(dtype))
        tf.float32 = tf.float64

    def execute(self, code, scope):
        exec(code, scope)

    def run(self, call, scope, arrays, wrt):
        tf = self.tf
        given = {k: tf.constant(v) for k, v in arrays.items()}
        with tf.GradientTape() as tape:
            tape.watch(given[wrt])
            result = eval(call, scope | given)
            loss = tf.reduce_sum(scalar_of(result, lambda v: v.shape.rank == 0))
        gradient = tape.gradient(loss, given[wrt])
        if gradient is None:
            gradient = tf.zeros_like(given[wrt])
        return loss.numpy(), tf.convert_to_tensor(gradient).numpy()


_made = {}


def backend_for(name):
    if name not in _made:
        _made[name] = make(name)
    return _made[name]


def make(name):
    if name in ("torch", "libraries"):
        return Torch()
    if name in ("numpy", "autograd"):
        return Autograd(name)
    if name == "jax":
        return Jax()
    if name in ("tensorflow", "keras"):
        return TensorFlow(name)
    raise ValueError(f"no backend {name}")
