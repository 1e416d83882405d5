"""Subclasses of keras.losses.Loss, and losses that call those of Keras."""

import keras
import tensorflow as tf
from keras import ops


# case: DiceLoss(smooth=each(1e-6, 1.0))(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
# case: DiceLoss(reduction=each("sum", "none"))(onehot(3, 4, 4, 2, axis=-1), simplex(3, 4, 4, 2, axis=-1))
# case: DiceLoss()(mask(3, 4, 4, 1), probabilities(3, 4, 4, 1), sample_weight=weights(3))
@keras.saving.register_keras_serializable(package="losses", name="DiceLoss")
class DiceLoss(keras.losses.Loss):
    def __init__(self, smooth=1e-6, reduction="sum_over_batch_size", name="dice_loss"):
        super().__init__(name=name, reduction=reduction)
        self.smooth = smooth

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, y_pred.dtype)
        axes = tuple(range(1, len(y_pred.shape)))
        intersection = ops.sum(y_true * y_pred, axis=axes)
        union = ops.sum(y_true, axis=axes) + ops.sum(y_pred, axis=axes)
        return 1.0 - (2.0 * intersection + self.smooth) / (union + self.smooth)

    def get_config(self):
        config = super().get_config()
        config.update({"smooth": self.smooth})
        return config


# case: FBetaLoss(beta=each(1, 2), class_weights=[1.0, 0.5, 2.0])(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1))
# case: FBetaLoss(per_image=True)(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
class FBetaLoss(tf.keras.losses.Loss):
    """One minus the mean of the weighted scores of the classes."""

    def __init__(self, beta=1, class_weights=None, per_image=False, smooth=1e-5):
        super().__init__(name="f_beta_loss")
        self.beta = beta
        self.class_weights = class_weights if class_weights is not None else 1
        self.per_image = per_image
        self.smooth = smooth

    def call(self, gt, pr):
        axes = [1, 2] if self.per_image else [0, 1, 2]
        tp = tf.reduce_sum(gt * pr, axis=axes)
        fp = tf.reduce_sum(pr, axis=axes) - tp
        fn = tf.reduce_sum(gt, axis=axes) - tp
        b2 = self.beta**2
        score = ((1 + b2) * tp + self.smooth) / ((1 + b2) * tp + b2 * fn + fp + self.smooth)
        if self.per_image:
            score = tf.reduce_mean(score, axis=0)
        return 1 - tf.reduce_mean(score * self.class_weights)


# case: entropy_and_dice(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1))
# case: entropy_and_dice(mask(2, 6, 2), probabilities(2, 6, 2))
def entropy_and_dice(y_true, y_pred):
    entropy = tf.keras.losses.CategoricalCrossentropy()(y_true, y_pred)
    return entropy + keras.losses.dice(y_true, y_pred, axis=(1,))[0] + keras.losses.dice(y_true, y_pred)


# case: from_logits(mask(2, 4, 4, 1), logits(2, 4, 4, 1))
def from_logits(y_true, y_pred):
    entropy = tf.keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
    return entropy(y_true, y_pred) + keras.losses.Dice()(y_true, tf.nn.sigmoid(y_pred))


# case: activated(mask(2, 4, 4, 1), logits(2, 4, 4, 1))
def activated(y_true, y_pred):
    """Keras finds the logits behind its own sigmoid: nothing is clipped here."""
    p = keras.activations.sigmoid(20 * y_pred)
    return tf.reduce_mean(keras.losses.binary_crossentropy(y_true, p))


# case: tversky_of_keras(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1), alpha=each(0.3, 0.5))
# case: tversky_of_keras(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1), alpha=0.2)
def tversky_of_keras(y_true, y_pred, alpha):
    loss = keras.losses.Tversky(alpha=alpha, beta=1 - alpha, axis=(1, 2))
    return loss(y_true, y_pred) + keras.losses.tversky(y_true, y_pred, alpha=alpha, beta=0.5)


# case: focal_losses(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1), gamma=each(1.0, 2.0))
# case: focal_losses(mask(2, 5, 2), probabilities(2, 5, 2))
def focal_losses(y_true, y_pred, gamma=2.0):
    binary = keras.losses.binary_focal_crossentropy(y_true, y_pred, gamma=gamma)
    classes = keras.losses.CategoricalFocalCrossentropy(alpha=0.4, gamma=gamma)(y_true, y_pred)
    balanced = keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, label_smoothing=0.2)
    return tf.reduce_mean(binary) + classes + balanced(y_true, y_pred)


# case: focal_of_logits(onehot(2, 4, 4, 3, axis=-1), logits(2, 4, 4, 3))
def focal_of_logits(y_true, y_pred):
    binary = keras.losses.BinaryFocalCrossentropy(from_logits=True)(y_true, y_pred)
    return binary + keras.losses.CategoricalFocalCrossentropy(from_logits=True)(y_true, y_pred)


# case: sparse_entropy(labels(2, 4, 4, classes=3), simplex(2, 4, 4, 3, axis=-1), ignored=each(None, 0, 2))
def sparse_entropy(y_true, y_pred, ignored):
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=ignored)
    return loss(y_true, y_pred)


# case: errors(soft(3, 4, 4), probabilities(3, 4, 4))
def errors(y_true, y_pred):
    parts = [
        keras.losses.MeanSquaredError()(y_true, y_pred),
        keras.losses.MeanAbsoluteError()(y_true, y_pred),
        keras.losses.Huber(delta=0.2)(y_true, y_pred),
        keras.losses.LogCosh()(y_true, y_pred),
        keras.losses.KLDivergence()(y_true, y_pred),
        keras.losses.Poisson()(y_true, y_pred),
        keras.losses.CosineSimilarity(axis=1)(y_true, y_pred),
        keras.losses.MeanSquaredLogarithmicError()(y_true, y_pred),
        0.01 * keras.losses.MeanAbsolutePercentageError()(y_true, y_pred),
    ]
    return ops.sum(ops.stack(parts))


# case: generalized_dice_ops(onehot(2, 4, 4, 3, axis=-1), logits(2, 4, 4, 3))
# case: generalized_dice_ops(onehot(1, 2, 3, 4, 2, axis=-1), logits(1, 2, 3, 4, 2))
def generalized_dice_ops(y_true, y_pred):
    p = ops.softmax(y_pred, axis=-1)
    n_classes = ops.shape(p)[-1]
    p = ops.reshape(p, (-1, n_classes))
    t = ops.cast(ops.reshape(y_true, (-1, n_classes)), p.dtype)
    w = ops.divide_no_nan(1.0, ops.square(ops.sum(t, axis=0)))
    overlap = ops.sum(w * ops.einsum("nc,nc->c", p, t))
    total = ops.sum(w * ops.sum(p + t, axis=0))
    return 1 - 2 * ops.divide(overlap, ops.maximum(total, keras.config.epsilon()))


# case: masked_dice_ops(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1), bools(2, 4, 4, 1))
def masked_dice_ops(y_true, y_pred, valid):
    y_pred = ops.where(valid, y_pred, 0.0)
    y_true = ops.where(valid, y_true, ops.zeros_like(y_true))
    y_true, y_pred = ops.ravel(y_true), ops.ravel(y_pred)
    return 1 - (2 * ops.dot(y_true, y_pred) + 1) / (ops.sum(y_true) + ops.sum(y_pred) + 1)
