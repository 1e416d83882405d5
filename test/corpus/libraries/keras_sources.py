# backend: keras
"""Keras's losses, read from keras/src/losses/losses.py."""

from keras.src.losses.losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    Dice,
    Tversky,
    dice,
    tversky,
)

# case: dice(mask(2, 4, 4, 3), probabilities(2, 4, 4, 3), axis=each(None, (1, 2), (1, 2, 3)))
# case: Dice(axis=each(None, (1, 2)))(mask(2, 4, 4, 3), probabilities(2, 4, 4, 3))
# case: tversky(mask(2, 4, 4, 3), probabilities(2, 4, 4, 3), alpha=each(0.3, 0.5), beta=0.7, axis=each(None, (1, 2)))
# case: Tversky(alpha=0.3, beta=0.7)(mask(2, 4, 4, 3), probabilities(2, 4, 4, 3))
# case: BinaryCrossentropy(from_logits=each(False, True), label_smoothing=each(0.0, 0.1))(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
# case: BinaryFocalCrossentropy(from_logits=each(False, True), gamma=each(2.0, 1.5), apply_class_balancing=each(False, True))(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
# case: CategoricalFocalCrossentropy(gamma=each(2.0, 1.5), alpha=0.25)(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1))
