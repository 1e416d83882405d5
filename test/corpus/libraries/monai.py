"""MONAI's losses, read from the installed package."""

import numpy as np
import torch
from monai.losses import (
    AsymmetricUnifiedFocalLoss,
    DiceCELoss,
    DiceFocalLoss,
    DiceLoss,
    FocalLoss,
    GeneralizedDiceFocalLoss,
    GeneralizedDiceLoss,
    GeneralizedWassersteinDiceLoss,
    MaskedDiceLoss,
    HausdorffDTLoss,
    LocalNormalizedCrossCorrelationLoss,
    LogHausdorffDTLoss,
    MaskedLoss,
    SoftclDiceLoss,
    SoftDiceclDiceLoss,
    SSIMLoss,
    TverskyLoss,
)
from monai.losses.unified_focal_loss import AsymmetricFocalLoss, AsymmetricFocalTverskyLoss

# Dice
# case: DiceLoss()(probabilities(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: DiceLoss(sigmoid=True, squared_pred=each(False, True), jaccard=each(False, True), reduction=each("mean", "sum", "none"))(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: DiceLoss(sigmoid=True, batch=each(False, True), include_background=each(False, True))(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: DiceLoss(softmax=True, to_onehot_y=True, include_background=each(False, True))(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: DiceLoss(softmax=True, smooth_nr=each(0.0, 1.0), smooth_dr=each(1e-5, 1.0))(logits(2, 3, 4, 4), onehot(2, 3, 4, 4))
# case: DiceLoss(softmax=True, soft_label=True, squared_pred=each(False, True))(logits(2, 3, 4, 4), soft(2, 3, 4, 4))
# case: DiceLoss(other_act=torch.tanh)(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: DiceLoss(softmax=True, weight=[1.0, 2.0, 0.5])(logits(2, 3, 4, 4), onehot(2, 3, 4, 4))
# case: DiceLoss(softmax=True, weight=2.0, include_background=False)(logits(2, 3, 4, 4), onehot(2, 3, 4, 4))
# case: DiceLoss(softmax=True, to_onehot_y=True, ignore_index=each(0, 1, 255))(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: DiceLoss(sigmoid=True)(logits(2, 1, 3, 4, 2), mask(2, 1, 3, 4, 2))
# case: MaskedDiceLoss(sigmoid=each(False, True), batch=each(False, True))(logits(2, 2, 4, 4), mask(2, 2, 4, 4), mask(2, 1, 4, 4))
# case: MaskedDiceLoss(softmax=True)(logits(2, 2, 4, 4), onehot(2, 2, 4, 4))
# case: MaskedLoss(DiceLoss, sigmoid=True)(logits(2, 2, 4, 4), mask(2, 2, 4, 4), mask(2, 1, 4, 4))

# Skeletons
# case: SoftclDiceLoss(iter_=2)(probabilities(1, 2, 7, 8), mask(1, 2, 7, 8))
# case: SoftDiceclDiceLoss(iter_=2, alpha=0.3)(probabilities(1, 2, 7, 8), mask(1, 2, 7, 8))

# Distances
# case: HausdorffDTLoss(sigmoid=True, include_background=True, alpha=each(1.0, 2.0))(logits(2, 2, 7, 8), mask(2, 2, 7, 8))
# case: HausdorffDTLoss(softmax=True, batch=each(False, True))(logits(1, 3, 4, 5, 4), onehot(1, 3, 4, 5, 4))
# case: LogHausdorffDTLoss(reduction=each("mean", "sum"))(probabilities(2, 2, 7, 8), mask(2, 2, 7, 8))

# Windows
# case: SSIMLoss(spatial_dims=2)(probabilities(1, 1, 13, 14), mask(1, 1, 13, 14))
# case: LocalNormalizedCrossCorrelationLoss(spatial_dims=2, kernel_size=each(3, 9))(probabilities(1, 1, 9, 10), soft(1, 1, 9, 10))

# Generalized Dice

# Tversky
# case: TverskyLoss(sigmoid=True, alpha=each(0.3, 0.5), beta=0.7, batch=each(False, True))(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: TverskyLoss(softmax=True, to_onehot_y=True, include_background=each(False, True), reduction=each("mean", "sum", "none"))(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: TverskyLoss(sigmoid=True, soft_label=True)(logits(2, 3, 4, 4), soft(2, 3, 4, 4))
# case: TverskyLoss(softmax=True, to_onehot_y=True, ignore_index=each(0, 255))(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))

# With cross entropy
# case: DiceCELoss(sigmoid=True)(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: DiceCELoss(softmax=True, batch=True, reduction=each("mean", "sum"))(logits(2, 3, 4, 4), onehot(2, 3, 4, 4))
# case: DiceCELoss(softmax=True, to_onehot_y=True, weight=torch.tensor([1.0, 2.0, 0.5]))(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))

# Focal
# case: FocalLoss(gamma=each(0.0, 2.0, 1.5), alpha=each(None, 0.25))(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: FocalLoss(use_softmax=True, to_onehot_y=True, alpha=each(None, 0.25), include_background=each(False, True))(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: FocalLoss(reduction=each("mean", "sum", "none"), weight=each(None, 2.0))(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: FocalLoss(use_softmax=True, weight=[1.0, 2.0, 0.5])(logits(2, 3, 4, 4), onehot(2, 3, 4, 4))
# case: FocalLoss(to_onehot_y=True, ignore_index=each(0, 255), reduction=each("mean", "sum"))(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: DiceFocalLoss(sigmoid=True, gamma=each(2.0, 0.5), squared_pred=each(False, True))(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: DiceFocalLoss(softmax=True, to_onehot_y=True, lambda_focal=each(1.0, 10.0))(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: AsymmetricFocalLoss(gamma=each(2.0, 0.5))(probabilities(2, 2, 4, 4), onehot(2, 2, 4, 4))
# case: AsymmetricFocalTverskyLoss(gamma=each(0.75, 0.5))(probabilities(2, 2, 4, 4), onehot(2, 2, 4, 4))
# case: AsymmetricUnifiedFocalLoss(weight=each(0.5, 0.2), reduction=each("mean", "sum"))(probabilities(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: AsymmetricUnifiedFocalLoss(to_onehot_y=True)(probabilities(2, 2, 4, 4), labels(2, 1, 4, 4, classes=2))
