"""Losses of TensorFlow and Keras, as a careful engineer writes them: nothing is to be found here."""

import keras
import tensorflow as tf
from keras import backend as K
from keras import ops


def dice_loss(y_true, y_pred, smooth=1.0):
    intersection = tf.reduce_sum(y_true * y_pred)
    total = tf.reduce_sum(y_true) + tf.reduce_sum(y_pred)
    return 1.0 - (2.0 * intersection + smooth) / (total + smooth)


def dice_loss_no_nan(y_true, y_pred):
    intersection = tf.reduce_sum(y_true * y_pred)
    total = tf.reduce_sum(y_true) + tf.reduce_sum(y_pred)
    return 1.0 - tf.math.divide_no_nan(2.0 * intersection, total)


def multiclass_dice_loss(y_true, y_pred, eps=1e-6):
    """y_true: (N, H, W, C), y_pred: (N, H, W, C)"""
    intersection = tf.reduce_sum(y_true * y_pred, axis=[1, 2])
    total = tf.reduce_sum(y_true + y_pred, axis=[1, 2])
    return 1.0 - tf.reduce_mean((2.0 * intersection + eps) / (total + eps))


def tversky_loss(y_true, y_pred, alpha=0.7, smooth=1.0):
    tp = tf.reduce_sum(y_true * y_pred)
    fn = tf.reduce_sum(y_true * (1 - y_pred))
    fp = tf.reduce_sum((1 - y_true) * y_pred)
    return 1.0 - (tp + smooth) / (tp + alpha * fn + (1 - alpha) * fp + smooth)


def dice_coef(y_true, y_pred, smooth=1.0):
    y_true_f = K.flatten(y_true)
    y_pred_f = K.flatten(y_pred)
    intersection = K.sum(y_true_f * y_pred_f)
    return (2.0 * intersection + smooth) / (K.sum(y_true_f) + K.sum(y_pred_f) + smooth)


def dice_coef_loss(y_true, y_pred):
    return 1.0 - dice_coef(y_true, y_pred)


def iou_loss(y_true, y_pred, smooth=1.0):
    intersection = ops.sum(y_true * y_pred)
    union = ops.sum(y_true) + ops.sum(y_pred) - intersection
    return 1.0 - (intersection + smooth) / (union + smooth)


class LogCoshDiceLoss(keras.losses.Loss):
    def __init__(self, smooth=1.0, name="log_cosh_dice"):
        super().__init__(name=name)
        self.smooth = smooth

    def call(self, y_true, y_pred):
        intersection = ops.sum(y_true * y_pred)
        total = ops.sum(y_true) + ops.sum(y_pred)
        dice = (2.0 * intersection + self.smooth) / (total + self.smooth)
        return ops.log(ops.cosh(1.0 - dice))
