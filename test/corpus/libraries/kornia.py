"""Kornia's losses, read from the installed package."""

import torch
from kornia.losses import (
    BinaryFocalLossWithLogits,
    DiceLoss,
    FocalLoss,
    LovaszHingeLoss,
    LovaszSoftmaxLoss,
    TverskyLoss,
    binary_focal_loss_with_logits,
    dice_loss,
    focal_loss,
    lovasz_hinge_loss,
    lovasz_softmax_loss,
    tversky_loss,
)

# case: dice_loss(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3), average=each("micro", "macro"), eps=each(1e-8, 1.0))
# case: dice_loss(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3), average=each("micro", "macro"), weight=torch.tensor([1.0, 2.0, 0.5]))
# case: DiceLoss(average=each("micro", "macro"), ignore_index=each(None, -100, 0, 1))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: DiceLoss(average="macro")(logits(2, 4, 4, 4), labels(2, 4, 4, classes=3))
# case: tversky_loss(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3), alpha=each(0.3, 0.5), beta=0.7)
# case: TverskyLoss(alpha=0.4, beta=0.6, eps=each(1e-8, 1.0), ignore_index=each(-100, 0))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: binary_focal_loss_with_logits(logits(2, 1, 4, 4), mask(2, 1, 4, 4), alpha=each(None, 0.25), gamma=each(2.0, 1.5), reduction=each("none", "mean", "sum"))
# case: BinaryFocalLossWithLogits(alpha=0.25, reduction="mean", ignore_index=each(None, 0))(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
