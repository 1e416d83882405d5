"""The losses of MMSegmentation and MMDetection, read from the installed packages."""

from mmdet.models.losses.dice_loss import DiceLoss as DetectionDiceLoss
from mmseg.models.losses import DiceLoss, TverskyLoss

# case: TverskyLoss(alpha=0.3, beta=0.7, smooth=each(1, 1e-3))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: DetectionDiceLoss(naive_dice=each(False, True), eps=1e-3, loss_weight=each(1.0, 2.0))(logits(3, 4, 4), mask(3, 4, 4))
