"""Sorting of arrays with more entries than are compared with each other in a formula."""

import tensorflow as tf


# case: worst_entries(probabilities(2, 4320), mask(2, 4320))
def worst_entries(p, t):
    """Of all, and of each row; equal errors are taken in their order."""
    errors = tf.nn.relu(tf.abs(p - t) - 0.5)
    worst, places = tf.math.top_k(tf.reshape(errors, [-1]), k=1000)
    rows = tf.math.top_k(errors, k=800).values
    chosen = tf.gather(tf.reshape(p, [-1]), places)
    return tf.reduce_mean(worst * chosen) + tf.reduce_sum(tf.reduce_mean(rows, axis=1))


# case: lovasz_hinge(logits(4320), mask(4320))
def lovasz_hinge(z, y):
    errors = 1.0 - z * (2.0 * y - 1.0)
    errors_sorted, places = tf.nn.top_k(errors, k=tf.shape(errors)[0])
    truth = tf.gather(y, places)
    total = tf.reduce_sum(truth)
    jaccard = 1.0 - (total - tf.cumsum(truth)) / (total + tf.cumsum(1.0 - truth))
    weights = tf.concat((jaccard[0:1], jaccard[1:] - jaccard[:-1]), 0)
    return tf.tensordot(tf.nn.relu(errors_sorted), tf.stop_gradient(weights), 1)
