"""Rows that a condition picks in TensorFlow, and functions of each row."""

import tensorflow as tf


# case: one_hot_of_valid(logits(2, 3, 3, 3), labels(2, 3, 3, classes=4), ignore=3)
def one_hot_of_valid(z, y, ignore):
    valid = tf.not_equal(y, ignore)
    p = tf.nn.softmax(tf.boolean_mask(z, valid))
    t = tf.one_hot(tf.boolean_mask(y, valid), 3, dtype=p.dtype)
    inter = tf.reduce_sum(p * t, axis=0)
    both = tf.reduce_sum(p, axis=0) + tf.reduce_sum(t, axis=0)
    return 1 - tf.reduce_mean((2 * inter + 1) / (both + 1))
