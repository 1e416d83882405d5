"""The plainest PyTorch forms."""

import torch
from torch import nn


# case: dice_loss(probabilities(2, 3, 8), mask(2, 3, 8))
# case: dice_loss(probabilities(40), soft(40), smooth=1e-5)
def dice_loss(pred, target, smooth=1.0):
    pred = pred.contiguous().view(-1)
    target = target.contiguous().view(-1)
    intersection = (pred * target).sum()
    return 1 - (2.0 * intersection + smooth) / (pred.sum() + target.sum() + smooth)


# case: DiceLoss(smooth=each(0.0, 1.0))(logits(2, 1, 8, 8), mask(2, 1, 8, 8))
# case: DiceLoss()(logits(3, 2, 5), zeros(3, 2, 5))
class DiceLoss(nn.Module):
    def __init__(self, smooth=1.0):
        super().__init__()
        self.smooth = smooth

    def forward(self, logits, targets):
        probs = torch.sigmoid(logits)
        num = targets.size(0)
        m1 = probs.view(num, -1)
        m2 = targets.view(num, -1)
        intersection = m1 * m2
        score = 2.0 * (intersection.sum(1) + self.smooth)
        score = score / (m1.sum(1) + m2.sum(1) + self.smooth)
        return 1 - score.sum() / num
