"""nnU-Net's losses, read from the installed package."""

import torch
from nnunetv2.training.loss.compound_losses import DC_and_BCE_loss, DC_and_CE_loss, DC_and_topk_loss
from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from nnunetv2.training.loss.dice import MemoryEfficientSoftDiceLoss, SoftDiceLoss
from nnunetv2.training.loss.robust_ce_loss import RobustCrossEntropyLoss, TopKLoss
from nnunetv2.utilities.helpers import softmax_helper_dim1

# case: SoftDiceLoss(apply_nonlin=softmax_helper_dim1, batch_dice=each(False, True), do_bg=each(False, True), smooth=each(0.0, 1.0), ddp=False)(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: SoftDiceLoss()(probabilities(2, 3, 4, 4), labels(2, 4, 4, classes=3))
# case: MemoryEfficientSoftDiceLoss(apply_nonlin=softmax_helper_dim1, batch_dice=each(False, True), do_bg=each(False, True), smooth=each(0.0, 1.0), ddp=False)(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: MemoryEfficientSoftDiceLoss(apply_nonlin=torch.sigmoid, ddp=False)(logits(2, 3, 4, 4), mask(2, 3, 4, 4), loss_mask=mask(2, 1, 4, 4))
# case: MemoryEfficientSoftDiceLoss(smooth=1e-5)(probabilities(2, 3, 3, 4, 2), labels(2, 3, 4, 2, classes=3))
# case: DC_and_CE_loss({"batch_dice": True, "smooth": 1e-5, "do_bg": False, "ddp": False}, {}, weight_ce=1, weight_dice=each(1, 2), dice_class=each(SoftDiceLoss, MemoryEfficientSoftDiceLoss))(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: DC_and_CE_loss({"batch_dice": False, "smooth": 1e-5, "do_bg": True, "ddp": False}, {}, ignore_label=each(2, 0), dice_class=MemoryEfficientSoftDiceLoss)(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
# case: DC_and_BCE_loss({}, {"batch_dice": True, "do_bg": True, "smooth": 0, "ddp": False}, use_ignore_label=False, dice_class=each(SoftDiceLoss, MemoryEfficientSoftDiceLoss))(logits(2, 3, 4, 4), mask(2, 3, 4, 4))
# case: DC_and_BCE_loss({}, {"batch_dice": False, "do_bg": True, "smooth": 1e-5, "ddp": False}, use_ignore_label=True)(logits(2, 2, 4, 4), mask(2, 3, 4, 4))
# case: DeepSupervisionWrapper(SoftDiceLoss(apply_nonlin=torch.sigmoid, ddp=False), [1.0, 0.5])([logits(2, 3, 4, 4), probabilities(2, 3, 2, 2)], [mask(2, 3, 4, 4), mask(2, 3, 2, 2)])
# case: RobustCrossEntropyLoss()(logits(2, 3, 4, 4), labels(2, 1, 4, 4, classes=3))
