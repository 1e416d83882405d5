"""Whether PyTorch's backward pass refuses each loss of a file, with a leaf or with the result of a network.

Prints a JSON object: by the function's name, whether it is refused for one of them.
"""

import importlib.util
import json
import sys

import torch

spec = importlib.util.spec_from_file_location("losses", sys.argv[1])
losses = importlib.util.module_from_spec(spec)
spec.loader.exec_module(losses)

torch.manual_seed(3)
values = torch.randn(2, 2, 4)
target = (torch.rand(2, 2, 4) < 0.5).float()


def refused(loss, made):
    leaf = values.clone().requires_grad_()
    prediction = leaf * 1.0 if made else leaf
    try:
        loss(prediction, target.clone()).backward()
    except RuntimeError as error:
        assert "inplace operation" in str(error) or "in-place operation" in str(error), error
        return True
    return False


print(
    json.dumps(
        {
            name: refused(loss, True) or refused(loss, False)
            for name, loss in vars(losses).items()
            if name.endswith("_loss")
        }
    )
)
