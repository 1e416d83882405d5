"""Sorting, running sums, and positions where a condition holds."""

import tensorflow as tf


def lovasz_grad(sorted_truth):
    total = tf.reduce_sum(sorted_truth)
    intersection = total - tf.cumsum(sorted_truth)
    union = total + tf.cumsum(1.0 - sorted_truth)
    jaccard = 1.0 - intersection / union
    return tf.concat((jaccard[0:1], jaccard[1:] - jaccard[:-1]), 0)


# case: lovasz_hinge(logits(12), mask(12))
# case: lovasz_hinge(logits(3, 4), mask(3, 4))
def lovasz_hinge(z, y):
    """Errors in descending order by top_k, labels gathered at their places."""
    z, y = tf.reshape(z, (-1,)), tf.reshape(y, (-1,))
    signs = 2.0 * tf.cast(y, z.dtype) - 1.0
    errors = 1.0 - z * tf.stop_gradient(signs)
    errors_sorted, places = tf.nn.top_k(errors, k=tf.shape(errors)[0], name="descending_sort")
    grad = lovasz_grad(tf.gather(y, places))
    return tf.tensordot(tf.nn.relu(errors_sorted), tf.stop_gradient(grad), 1)


# case: hardest_entries(probabilities(3, 4), mask(3, 4))
def hardest_entries(p, t):
    """The mean of the largest errors of each row."""
    errors = tf.abs(p - tf.dtypes.cast(t, p.dtype))
    worst = tf.math.top_k(errors, k=2).values
    return tf.reduce_mean(worst) + tf.reduce_mean(tf.sort(errors, direction="DESCENDING")[:, 0])


# case: where_labelled(probabilities(3, 4), mask(3, 4))
def where_labelled(p, t):
    """Rows of positions where a condition holds."""
    places = tf.where(t > 0.5)
    return 1.0 - tf.reduce_sum(p * t) / tf.cast(tf.shape(places)[0], p.dtype)


# case: of_valid_places(logits(3, 4), mask(3, 4), bools(3, 4))
def of_valid_places(z, y, valid):
    """Entries that a boolean mask picks, summed and sorted."""
    p, t = tf.boolean_mask(tf.sigmoid(z), valid), tf.boolean_mask(y, valid)
    dice = 1.0 - 2.0 * tf.reduce_sum(p * t) / (tf.reduce_sum(p) + tf.reduce_sum(t) + 1.0)
    return dice + tf.reduce_max(tf.sort(p)) * 0.1


# case: classes_by_their_masks(simplex(6, 3), labels(6, classes=3))
def classes_by_their_masks(p, y):
    """Losses of the classes that occur."""
    losses, present = [], []
    for c in range(3):
        hot = tf.cast(tf.equal(y, c), p.dtype)
        losses.append(1.0 - tf.reduce_sum(p[:, c] * hot) / tf.reduce_sum(p[:, c] + hot))
        present.append(tf.reduce_sum(hot) > 0)
    return tf.reduce_mean(tf.boolean_mask(tf.stack(losses), tf.stack(present)))
