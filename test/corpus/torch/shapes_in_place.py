"""Arrays that get another shape in place, and dtypes that are computed."""

import torch


def masked_dice(pred, target):
    valid = target != 2
    valid.unsqueeze_(1)
    one_hot = torch.zeros(size=pred.shape, dtype=torch.promote_types(pred.dtype, torch.float32))
    one_hot.scatter_(1, (target * valid.squeeze(1)).unsqueeze(1), 1)
    inter = (pred * one_hot * valid).sum((0, 2, 3))
    return 1 - (2 * inter / ((pred + one_hot) * valid).sum((0, 2, 3))).mean()


# case: masked_dice(probabilities(2, 3, 4, 4), labels(2, 4, 4, classes=3))


def squeezed_dice(pred, target):
    flat = pred * 1.0
    flat.squeeze_(1)
    return 1 - 2 * (flat * target).sum() / (flat.sum() + target.sum())


# case: squeezed_dice(probabilities(2, 1, 4, 4), mask(2, 4, 4))
