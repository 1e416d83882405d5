"""Minima and maxima over windows, channels last: soft skeletons, coarser arrays."""

import tensorflow as tf
from tensorflow.keras import backend as K
from tensorflow.keras import layers as KL


# case: skeleton_by_layers(probabilities(1, 4, 4, 2), mask(1, 4, 4, 2))
def skeleton_by_layers(p, t):
    """Layers made and called in one line."""
    p1 = -KL.MaxPool2D(pool_size=(3, 1), strides=(1, 1), padding="same", data_format=None)(-p)
    p2 = -KL.MaxPool2D(pool_size=(1, 3), strides=(1, 1), padding="same", data_format=None)(-p)
    thin = tf.math.minimum(p1, p2)
    opened = KL.MaxPooling2D(pool_size=3, strides=1, padding="same")(thin)
    skeleton = tf.nn.relu(p - opened)
    return 1.0 - (tf.reduce_sum(skeleton * t) + 1.0) / (tf.reduce_sum(skeleton) + 1.0)


# case: skeleton_of_images(probabilities(2, 5, 4, 2), mask(2, 5, 4, 2))
def skeleton_of_images(p, t):
    """The backend's function of a window, a step and a padding."""
    thin = -K.pool2d(-p, pool_size=(3, 3), strides=(1, 1), padding="same", pool_mode="max")
    opened = K.pool2d(thin, (3, 3), strides=(1, 1), padding="same", pool_mode="max")
    skeleton = K.relu(p - opened)
    return 1.0 - (K.sum(skeleton * t) + 1.0) / (K.sum(skeleton) + 1.0)


# case: coarser(probabilities(2, 5, 6, 2), mask(2, 5, 6, 2))
def coarser(p, t):
    """Windows that do not fit the array, with padding that differs by side."""
    q = tf.nn.avg_pool2d(p, ksize=2, strides=2, padding="SAME")
    u = tf.nn.max_pool2d(t, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    small = tf.nn.max_pool2d(p, 2, 3, "SAME") + KL.AveragePooling2D(2, 3, padding="same")(p)
    dice = (2.0 * tf.reduce_sum(q * u) + 1.0) / (tf.reduce_sum(q) + tf.reduce_sum(u) + 1.0)
    return 1.0 - dice + 0.1 * tf.reduce_mean(small)
