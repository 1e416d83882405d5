"""Variances of entries that a mask picks in TensorFlow, beside Dice."""

import tensorflow as tf


# case: even_inside(logits(2, 5, 5, 1), mask(2, 5, 5, 1))
def even_inside(z, t):
    p, inside = tf.sigmoid(z), t > 0.5
    dice = 1 - (2 * tf.reduce_sum(p * t) + 1) / (tf.reduce_sum(p) + tf.reduce_sum(t) + 1)
    spread = tf.math.reduce_variance(tf.boolean_mask(p, inside))
    return dice + spread + 0.5 * tf.math.reduce_std(p[~inside])


# case: of_each_class(logits(2, 4, 4, 3), labels(2, 4, 4, classes=4), ignore=3)
def of_each_class(z, y, ignore):
    rows = tf.boolean_mask(tf.nn.softmax(z), y != ignore)
    mean, variance = tf.nn.moments(rows, axes=[0])
    return tf.reduce_sum(variance) - tf.reduce_sum(mean**2)


# case: balanced(logits(2, 4, 4, 3), labels(2, 4, 4, classes=4), ignore=3)
def balanced(z, y, ignore):
    valid = tf.boolean_mask(y, y != ignore)
    n = tf.math.bincount(valid, minlength=3, maxlength=3, dtype=z.dtype)
    w = tf.reduce_sum(n) / (3 * n)
    p = tf.nn.softmax(tf.boolean_mask(z, y != ignore))
    t = tf.one_hot(valid, 3, dtype=z.dtype)
    both = tf.reduce_sum(p, 0) + tf.reduce_sum(t, 0)
    return 1 - tf.reduce_mean(w * (2 * tf.reduce_sum(p * t, 0) + 1) / (both + 1))
