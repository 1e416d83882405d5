"""A package that hands its modules the framework they work with, when it is imported."""

import functools
import os

from . import base

_FRAMEWORK = None
_BACKEND = None


def with_backend(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        kwargs["backend"] = _BACKEND
        return function(*args, **kwargs)

    return wrapper


def use_framework(name):
    global _FRAMEWORK, _BACKEND
    if name == "standalone":
        import no_such_framework as framework
    elif name == "tf.keras":
        from tensorflow import keras as framework
    else:
        raise ValueError("Unknown framework `{}`".format(name))
    _FRAMEWORK = name
    _BACKEND = framework.backend
    base.Configured.configure(backend=framework.backend)


try:
    use_framework(os.environ.get("SCOREKIT_FRAMEWORK", "standalone"))
except ImportError:
    use_framework("tf.keras")

from . import functional, losses

f_score = with_backend(functional.f_score)
