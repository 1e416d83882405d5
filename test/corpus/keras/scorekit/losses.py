from . import functional as F
from .base import Loss


class DiceLoss(Loss):
    def __init__(self, beta=1, class_weights=None, indexes=None, per_image=False, smooth=1e-5):
        super().__init__(name="dice_loss")
        self.beta = beta
        self.class_weights = class_weights if class_weights is not None else 1
        self.indexes = indexes
        self.per_image = per_image
        self.smooth = smooth

    def __call__(self, gt, pr):
        return 1 - F.f_score(
            gt,
            pr,
            beta=self.beta,
            class_weights=self.class_weights,
            indexes=self.indexes,
            smooth=self.smooth,
            per_image=self.per_image,
            **self.submodules,
        )


class FocalLoss(Loss):
    def __init__(self, alpha=0.25, gamma=2.0):
        super().__init__(name="focal_loss")
        self.alpha = alpha
        self.gamma = gamma

    def __call__(self, gt, pr):
        return F.binary_focal(gt, pr, alpha=self.alpha, gamma=self.gamma, **self.submodules)


dice_loss = DiceLoss()
focal_loss = FocalLoss()
focal_dice_loss = dice_loss + 0.5 * focal_loss
