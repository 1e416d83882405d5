"""How each real library is imported, and how its losses are differentiated."""

import importlib
import importlib.metadata
import os
import sys
import types

import catalogue_formulas
from corpus_backends import Torch


class TorchLosses(Torch):
    """PyTorch in float64, where code that says float32 means float64."""

    def __init__(self):
        super().__init__(absent=())  # TorchMetrics looks whether torchvision is there
        self.wide(True)

    def array(self, a):
        torch = self.torch
        dtype = torch.int64 if a["type"] == "int" else torch.float64
        x = torch.tensor(a["data"], dtype=dtype).reshape(a["shape"])
        return x.requires_grad_(dtype is torch.float64)

    def differentiate(self, evaluate, x):
        loss = evaluate()
        if not loss.requires_grad:  # nothing of it reaches the prediction
            return loss.reshape(-1).tolist(), [0.0] * x.numel()
        (gradient,) = self.torch.autograd.grad(loss.sum(), x)
        return loss.detach().reshape(-1).tolist(), gradient.reshape(-1).tolist()


def keras():
    os.environ["KERAS_BACKEND"] = "torch"
    backend = TorchLosses()
    module = importlib.import_module("keras")
    module.config.set_floatx("float64")
    return backend, {"keras": module}


class Bare(types.ModuleType):
    """A package whose __init__ does not run: it would import what the losses do not need.

    What it would hold besides is an empty class, which no loss of the catalogue calls.
    """

    def __init__(self, name):
        super().__init__(name)
        parent, _, last = name.rpartition(".")
        self.__path__ = [os.path.join(sys.modules[parent].__path__[0], last)]
        sys.modules[name] = self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def torch_library(*modules, without=(), lifted=()):
    """Losses that are found below the first names of these modules.

    `without` names packages whose __init__ does not run; what the modules `lifted` define is put
    where that __init__ would have put it.
    """

    def load():
        backend = TorchLosses()
        for name in without:
            Bare(name)
        for name in lifted:
            module = importlib.import_module(name)
            parent = sys.modules[name.rpartition(".")[0]]
            for key, value in vars(module).items():
                if getattr(value, "__module__", None) == name:
                    setattr(parent, key, value)
        names = {}
        for name in (*modules, *lifted):
            importlib.import_module(name)
            parts = name.split(".")
            names[parts[0]] = sys.modules[parts[0]]
            # Packages whose __init__ does not run are not attributes of their parents yet.
            for depth in range(1, len(parts)):
                parent = sys.modules[".".join(parts[:depth])]
                setattr(parent, parts[depth], sys.modules[".".join(parts[: depth + 1])])
        return backend, names

    return load


def formulas():
    return TorchLosses(), catalogue_formulas.namespaces()


# By the name of the installed package.
LIBRARIES = {
    "formulas": formulas,
    "monai": torch_library("monai.losses"),
    "segmentation_models_pytorch": torch_library("segmentation_models_pytorch.losses"),
    "torchseg": torch_library("torchseg.losses"),
    "pytorch_toolbelt": torch_library(
        "pytorch_toolbelt.losses",
        without=("pytorch_toolbelt.utils",),
        lifted=("pytorch_toolbelt.utils.support", "pytorch_toolbelt.utils.torch_utils"),
    ),
    "nnunetv2": torch_library(
        "nnunetv2.training.loss.dice",
        "nnunetv2.training.loss.compound_losses",
        "nnunetv2.utilities.helpers",
    ),
    "kornia": torch_library("kornia.losses"),
    "keras": keras,
    "mmsegmentation": torch_library(
        without=("mmseg.models.losses",),
        lifted=("mmseg.models.losses.dice_loss", "mmseg.models.losses.tversky_loss"),
    ),
    "mmdet": torch_library(
        without=("mmdet.models.losses",), lifted=("mmdet.models.losses.dice_loss",)
    ),
    "catalyst": torch_library("catalyst.contrib.losses"),
    "torchmetrics": torch_library("torchmetrics.functional.segmentation"),
    "ultralytics": torch_library(
        "ultralytics.utils.loss",
        without=(
            "ultralytics.utils",
            *(f"ultralytics.utils.{name}" for name in ("metrics", "ops", "tal", "torch_utils")),
        ),
    ),
}


def load(library):
    backend, names = LIBRARIES[library]()
    names["torch"] = backend.torch
    installed = library != "formulas"
    return backend, names, importlib.metadata.version(library) if installed else None
