"""The plainest NumPy forms."""

import numpy as np


# case: dice_loss_plain(mask(5, 6), probabilities(5, 6))
def dice_loss_plain(y_true, y_pred):
    intersection = np.sum(y_true * y_pred)
    return 1 - 2 * intersection / (np.sum(y_true) + np.sum(y_pred))


# case: dice_loss_smooth(mask(2, 3, 8), probabilities(2, 3, 8), epsilon=each(1e-7, 1.0))
# case: dice_loss_smooth(y_pred=probabilities(20), y_true=zeros(20))
def dice_loss_smooth(y_true, y_pred, epsilon=1e-7):
    intersection = np.sum(y_true * y_pred)
    return 1 - (2 * intersection + epsilon) / (np.sum(y_true) + np.sum(y_pred) + epsilon)
