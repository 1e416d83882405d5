"""How each real library is imported, and how its losses are differentiated."""

import importlib
import importlib.metadata


class Torch:
    """PyTorch in float64: default dtype, and what would be cast to float32."""

    def __init__(self):
        import torch

        self.torch = torch
        torch.set_default_dtype(torch.float64)
        torch.Tensor.float = lambda x, *_, **__: x.double()

    def array(self, a):
        torch = self.torch
        dtype = torch.int64 if a["type"] == "int" else torch.float64
        x = torch.tensor(a["data"], dtype=dtype).reshape(a["shape"])
        return x.requires_grad_(dtype is torch.float64)

    def differentiate(self, evaluate, x):
        loss = evaluate()
        (gradient,) = self.torch.autograd.grad(loss.sum(), x)
        return loss.detach().reshape(-1).tolist(), gradient.reshape(-1).tolist()


def monai():
    import monai.losses

    return Torch(), {"monai": monai}


LIBRARIES = {"monai": monai}


def load(library):
    backend, names = LIBRARIES[library]()
    if isinstance(backend, Torch):
        names["torch"] = backend.torch
    return backend, names, importlib.metadata.version(library)
