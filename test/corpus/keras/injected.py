"""Losses of a package that injects the backend, imported past the package's own code."""

from scorekit.losses import DiceLoss, focal_dice_loss, focal_loss
import scorekit


# case: DiceLoss(per_image=each(False, True))(mask(2, 4, 4, 3), probabilities(2, 4, 4, 3))
# case: DiceLoss(beta=2, class_weights=[1.0, 2.0, 0.5], smooth=1.0)(mask(2, 4, 4, 3), probabilities(2, 4, 4, 3))
# case: DiceLoss(indexes=each(1, [0, 2]))(mask(2, 3, 4, 3), probabilities(2, 3, 4, 3))
# case: focal_loss(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
# case: focal_dice_loss(mask(2, 4, 4, 2), probabilities(2, 4, 4, 2))


# case: scored(mask(2, 4, 4, 2), probabilities(2, 4, 4, 2))
def scored(y_true, y_pred):
    """The decorator puts the backend among the keywords."""
    return 1 - scorekit.f_score(y_true, y_pred, beta=0.5)
