"""Sums over the axes from the third on, of arrays that may have none: PyTorch then takes all."""

import torch


def dice_over_space(pred, target):
    axes = list(range(2, pred.dim()))
    intersection = torch.sum(pred * target, dim=axes)
    total = pred.sum(dim=axes) + target.sum(axes)
    return 1 - (2 * intersection / total).mean(dim=[])


# case: dice_over_space(probabilities(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: dice_over_space(probabilities(4, 4), mask(4, 4))


def largest_over_space(pred, target, keepdim):
    axes = tuple(range(2, pred.dim()))
    error = pred - target
    size = torch.linalg.vector_norm(error, ord=1, dim=axes, keepdim=keepdim)
    return (size + error.amax(axes, keepdim=keepdim)).sum()


# case: largest_over_space(probabilities(2, 3, 4, 4), mask(2, 3, 4, 4), each(False, True))
# case: largest_over_space(probabilities(4, 4), mask(4, 4), each(False, True))
