"""The names of TensorFlow 1, as its code is run today."""

import tensorflow.compat.v1 as tf


# case: dice_old(logits(2, 4, 4, 1), mask(2, 4, 4, 1))
def dice_old(logits, labels):
    p = tf.nn.sigmoid(logits)
    axes = [1, 2, 3]
    overlap = tf.reduce_sum(p * labels, reduction_indices=axes, keep_dims=True)
    total = tf.reduce_sum(p, axes, keep_dims=True) + tf.reduce_sum(labels, axes, keep_dims=True)
    return 1.0 - tf.reduce_mean(tf.div(2.0 * overlap + 1.0, total + 1.0))


# case: log_dice_old(logits(2, 4, 4, 3), onehot(2, 4, 4, 3, axis=-1))
def log_dice_old(logits, labels):
    with tf.name_scope("log_dice"):
        p = tf.nn.softmax(logits, dim=-1)
        score = 2.0 * tf.reduce_sum(p * labels) / (tf.reduce_sum(p) + tf.reduce_sum(labels))
        return -tf.log(score)
