"""Sums up to a position in TensorFlow."""

import tensorflow as tf


# case: cumulative(probabilities(2, 70), mask(2, 70), exclusive=each(False, True), reverse=each(False, True))
# case: cumulative(probabilities(2, 5), mask(2, 5), exclusive=each(False, True), reverse=each(False, True))
def cumulative(p, t, exclusive, reverse):
    a = tf.cumsum(p, axis=1, exclusive=exclusive, reverse=reverse)
    b = tf.math.cumsum(t, axis=1, exclusive=exclusive, reverse=reverse)
    return tf.reduce_mean((a - b) ** 2)
