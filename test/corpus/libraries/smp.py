"""The losses of segmentation_models_pytorch, read from the installed package."""

from segmentation_models_pytorch.losses import (
    DiceLoss,
    FocalLoss,
    JaccardLoss,
    LovaszLoss,
    MCCLoss,
    SoftBCEWithLogitsLoss,
    SoftCrossEntropyLoss,
    TverskyLoss,
)

# case: DiceLoss("binary", from_logits=each(True, False), smooth=each(0.0, 1.0), log_loss=each(False, True))(probabilities(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: DiceLoss("binary", ignore_index=0)(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: DiceLoss("multiclass", smooth=each(0.0, 1.0), log_loss=each(False, True))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: DiceLoss("multiclass", classes=each(None, [1, 2], [0]))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: DiceLoss("multiclass", ignore_index=each(0, 1, 255))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: DiceLoss("multiclass", class_weights=[1.0, 2.0, 0.5], classes=each(None, [1, 2]))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: DiceLoss("multiclass")(logits(2, 4, 4, 4), labels(2, 4, 4, classes=3))
# case: DiceLoss("multilabel", from_logits=each(True, False), ignore_index=each(None, 0))(probabilities(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: JaccardLoss("binary", smooth=each(0.0, 1.0), log_loss=each(False, True))(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: JaccardLoss("multiclass", classes=each(None, [1, 2]))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: JaccardLoss("multilabel", from_logits=each(True, False))(probabilities(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: TverskyLoss("binary", alpha=each(0.3, 0.5), beta=0.7, gamma=each(1.0, 1.3))(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: TverskyLoss("multiclass", alpha=0.3, beta=0.7, ignore_index=each(None, 0))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: TverskyLoss("multilabel", log_loss=each(False, True))(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: FocalLoss("binary", alpha=each(None, 0.25), gamma=each(2.0, 1.5), normalized=each(False, True))(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: FocalLoss("binary", reduced_threshold=0.5)(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: FocalLoss("multiclass", gamma=each(2.0, 1.5))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: FocalLoss("multilabel", alpha=0.25, reduction=each("mean", "sum"))(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: SoftBCEWithLogitsLoss(smooth_factor=each(None, 0.1), ignore_index=each(-100, None, 0), reduction=each("mean", "sum", "none"))(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: MCCLoss(eps=each(1e-5, 1.0))(probabilities(2, 1, 4, 4), mask(2, 1, 4, 4))
