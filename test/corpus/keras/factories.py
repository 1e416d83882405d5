"""Losses made by functions that take their settings, on channels-last tensors."""

import tensorflow as tf
from tensorflow.keras import backend as K


# case: multiclass_weighted_dice([1.0, 2.0, 0.5])(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1))
# case: multiclass_weighted_dice([0.5, 1.5])(soft(2, 3, 2, 2, 2), probabilities(2, 3, 2, 2, 2))
def multiclass_weighted_dice(class_weights):
    class_weights = tf.constant(class_weights, dtype=K.floatx())

    def loss(y_true, y_pred):
        axis_to_reduce = range(1, K.ndim(y_pred))
        numerator = y_true * y_pred * class_weights
        numerator = 2.0 * K.sum(numerator, axis=axis_to_reduce)
        denominator = (y_true + y_pred) * class_weights
        denominator = K.sum(denominator, axis=axis_to_reduce)
        return 1 - numerator / denominator

    return loss


# case: multiclass_tversky(alpha=each(0.3, 0.5), beta=0.7)(onehot(2, 4, 4, 3, axis=-1), simplex(2, 4, 4, 3, axis=-1))
def multiclass_tversky(alpha=0.5, beta=0.5):
    def loss(y_true, y_pred):
        axes = list(range(1, len(y_pred.shape) - 1))
        true_pos = K.sum(y_true * y_pred, axis=axes)
        false_neg = K.sum(y_true * (1 - y_pred), axis=axes)
        false_pos = K.sum((1 - y_true) * y_pred, axis=axes)
        score = (true_pos + K.epsilon()) / (
            true_pos + alpha * false_pos + beta * false_neg + K.epsilon()
        )
        return K.mean(1 - score)

    return loss


def identify_axis(shape):
    """The axes of space."""
    if len(shape) == 5:
        return [1, 2, 3]
    if len(shape) == 4:
        return [1, 2]
    raise ValueError("Metric: Shape of tensor is neither 2D or 3D.")


# case: symmetric_focal_tversky(delta=0.7, gamma=each(0.75, 0.5))(onehot(2, 4, 4, 2, axis=-1), simplex(2, 4, 4, 2, axis=-1))
# case: symmetric_focal_tversky()(onehot(1, 2, 3, 2, 2, axis=-1), simplex(1, 2, 3, 2, 2, axis=-1))
def symmetric_focal_tversky(delta=0.7, gamma=0.75):
    def loss_function(y_true, y_pred):
        epsilon = K.epsilon()
        y_pred = K.clip(y_pred, epsilon, 1.0 - epsilon)
        axis = identify_axis(y_true.get_shape())
        tp = K.sum(y_true * y_pred, axis=axis)
        fn = K.sum(y_true * (1 - y_pred), axis=axis)
        fp = K.sum((1 - y_true) * y_pred, axis=axis)
        dice_class = (tp + epsilon) / (tp + delta * fn + (1 - delta) * fp + epsilon)
        back_dice = (1 - dice_class[:, 0]) * K.pow(1 - dice_class[:, 0], -gamma)
        fore_dice = (1 - dice_class[:, 1]) * K.pow(1 - dice_class[:, 1], -gamma)
        return K.mean(tf.stack([back_dice, fore_dice], axis=-1))

    return loss_function


# case: asymmetric_focal(delta=0.25, gamma=2.0)(onehot(2, 4, 4, 2, axis=-1), simplex(2, 4, 4, 2, axis=-1))
def asymmetric_focal(delta=0.7, gamma=2.0):
    def loss_function(y_true, y_pred):
        epsilon = K.epsilon()
        y_pred = K.clip(y_pred, epsilon, 1.0 - epsilon)
        cross_entropy = -y_true * K.log(y_pred)
        back_ce = K.pow(1 - y_pred[:, :, :, 0], gamma) * cross_entropy[:, :, :, 0]
        back_ce = (1 - delta) * back_ce
        fore_ce = delta * cross_entropy[:, :, :, 1]
        return K.mean(K.sum(tf.stack([back_ce, fore_ce], axis=-1), axis=-1))

    return loss_function


# case: dice_plus_plus(gamma=each(1.0, 2.0))(onehot(2, 4, 4, 2, axis=-1), simplex(2, 4, 4, 2, axis=-1))
def dice_plus_plus(gamma=2.0):
    def loss_function(y_true, y_pred):
        epsilon = K.epsilon()
        y_true = K.clip(y_true, epsilon, 1.0 - epsilon)
        y_pred = K.clip(y_pred, epsilon, 1.0 - epsilon)
        axis = identify_axis(y_true.get_shape())
        tp = K.sum(y_true * y_pred, axis=axis)
        fn = K.sum(K.pow(y_true * (1 - y_pred), gamma), axis=axis)
        fp = K.sum(K.pow((1 - y_true) * y_pred, gamma), axis=axis)
        dice_class = (2 * tp + epsilon) / (2 * tp + fn + fp + epsilon)
        return K.mean(1 - dice_class)

    return loss_function


# case: combo_loss(alpha=0.5, ce_w=each(0.4, 0.5))(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
def combo_loss(alpha=0.5, ce_w=0.5, smooth=1.0):
    def loss(y_true, y_pred):
        y_true_f = K.flatten(y_true)
        y_pred_f = K.flatten(y_pred)
        intersection = K.sum(y_true_f * y_pred_f)
        d = (2.0 * intersection + smooth) / (K.sum(y_true_f) + K.sum(y_pred_f) + smooth)
        y_pred_f = K.clip(y_pred_f, K.epsilon(), 1.0 - K.epsilon())
        out = -(ce_w * y_true_f * K.log(y_pred_f)) + (
            (1 - ce_w) * (1.0 - y_true_f) * K.log(1.0 - y_pred_f)
        )
        return alpha * K.mean(out, axis=-1) - (1 - alpha) * d

    return loss


class SemanticSegmentationLosses:
    """Losses as methods of one object with the settings."""

    def __init__(self, beta=0.25, smooth=1.0):
        self.beta = beta
        self.smooth = smooth

    def dice_coef(self, y_true, y_pred):
        y_true_f = tf.reshape(y_true, [-1])
        y_pred_f = tf.reshape(y_pred, [-1])
        intersection = tf.reduce_sum(y_true_f * y_pred_f)
        total = tf.reduce_sum(y_true_f) + tf.reduce_sum(y_pred_f)
        return (2.0 * intersection + self.smooth) / (total + self.smooth)

    # case: SemanticSegmentationLosses(smooth=each(1.0, 0.1)).log_cosh_dice(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
    def log_cosh_dice(self, y_true, y_pred):
        x = 1 - self.dice_coef(y_true, y_pred)
        return tf.math.log((tf.exp(x) + tf.exp(-x)) / 2.0)

    # case: SemanticSegmentationLosses().weighted_cross_entropy(mask(2, 4, 4, 1), probabilities(2, 4, 4, 1))
    def weighted_cross_entropy(self, y_true, y_pred):
        y_pred = tf.clip_by_value(y_pred, K.epsilon(), 1 - K.epsilon())
        logits = tf.math.log(y_pred / (1 - y_pred))
        loss = tf.nn.weighted_cross_entropy_with_logits(
            logits=logits, labels=y_true, pos_weight=self.beta / (1 - self.beta)
        )
        return tf.reduce_mean(loss)
