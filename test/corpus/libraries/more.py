"""Losses of smaller libraries, read from the installed packages."""

from catalyst.contrib.losses import DiceLoss as CatalystDiceLoss
from catalyst.contrib.losses import FocalTrevskyLoss, IoULoss, TrevskyLoss
from pytorch_toolbelt.losses import BinaryFocalLoss, DiceLoss, JaccardLoss
from torchseg.losses import DiceLoss as TorchSegDiceLoss
from torchseg.losses import FocalLoss as TorchSegFocalLoss
from torchseg.losses import JaccardLoss as TorchSegJaccardLoss
from torchseg.losses import TverskyLoss as TorchSegTverskyLoss

# case: CatalystDiceLoss(class_dim=1, mode=each("macro", "micro"), eps=each(1e-7, 1.0))(probabilities(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: IoULoss(class_dim=1, mode=each("macro", "micro"))(probabilities(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: TrevskyLoss(alpha=each(0.3, 0.6), class_dim=1)(probabilities(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: FocalTrevskyLoss(alpha=0.3, gamma=each(0.75, 1.5), class_dim=1)(probabilities(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: DiceLoss(mode="multiclass", log_loss=each(False, True), smooth=each(0.0, 1.0))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: DiceLoss(mode="binary")(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: JaccardLoss(mode="multiclass", log_loss=each(False, True))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: BinaryFocalLoss(alpha=each(None, 0.25), gamma=each(2.0, 1.5))(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: TorchSegDiceLoss("multiclass", smooth=each(0.0, 1.0))(logits(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: TorchSegJaccardLoss("binary")(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
# case: TorchSegTverskyLoss("multilabel", alpha=0.3, beta=0.7)(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: TorchSegFocalLoss("binary", alpha=0.25)(logits(2, 1, 4, 4), mask(2, 1, 4, 4))
