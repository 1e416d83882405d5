"""The losses of MMSegmentation and MMDetection, read from the installed packages."""

from mmdet.models.losses.dice_loss import DiceLoss as DetectionDiceLoss
from mmseg.models.losses import DiceLoss, TverskyLoss

# case: DiceLoss(use_sigmoid=each(True, False), eps=each(1e-3, 1.0), naive_dice=each(False, True))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: DiceLoss(activate=False, loss_weight=0.5, ignore_index=each(0, 255))(probabilities(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: TverskyLoss(alpha=0.3, beta=0.7, smooth=each(1, 1e-3))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: TverskyLoss(class_weight=[1.0, 2.0, 0.5], ignore_index=0)(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: DetectionDiceLoss(naive_dice=each(False, True), eps=1e-3, loss_weight=each(1.0, 2.0))(logits(3, 4, 4), mask(3, 4, 4))
# case: DetectionDiceLoss(activate=False)(probabilities(3, 4, 4), mask(3, 4, 4), weight=weights(3), avg_factor=2.0)
