"""Entries read, written and added up at positions that arrays of integers name."""

import tensorflow as tf


# case: class_probability(labels(2, 4, 4, classes=3), simplex(2, 4, 4, 3, axis=-1))
def class_probability(y_true, y_pred):
    """The probability of the true class, by positions of all axes."""
    b, h, w = y_true.shape
    flat = tf.reshape(y_pred, [-1, 3])
    rows = tf.stack([tf.range(b * h * w), tf.cast(tf.reshape(y_true, [-1]), tf.int32)], axis=1)
    return -tf.reduce_mean(tf.math.log(tf.gather_nd(flat, rows)))


# case: by_batch(labels(3, 5, classes=4), simplex(3, 5, 4, axis=-1))
def by_batch(y_true, y_pred):
    labels = tf.cast(y_true, tf.int32)
    p = tf.gather(y_pred, labels, axis=2, batch_dims=2)
    first = tf.gather(y_pred, labels[:, :2], batch_dims=1)
    q = tf.gather_nd(y_pred, labels[:, :, None][:, :2], batch_dims=1)
    last = tf.gather(y_pred, labels[:, 1:3], axis=-1, batch_dims=1)
    weight = tf.reshape(tf.range(10.0, dtype=p.dtype), [5, 2])
    return -tf.reduce_sum(tf.math.log(p)) + tf.reduce_sum(first * q) + tf.reduce_sum(last * weight)


# case: where_it_is(mask(2, 4, 4), probabilities(2, 4, 4))
def where_it_is(y_true, y_pred):
    inside = tf.gather_nd(y_pred, tf.where(y_true > 0.5))
    return -tf.reduce_mean(tf.math.log(inside))


# case: spread_out(probabilities(4), mask(6))
def spread_out(p, t):
    """Entries that share a place are added up."""
    where = tf.constant([[1], [4], [1], [0]])
    wide = tf.scatter_nd(where, p, tf.shape(t))
    more = tf.tensor_scatter_nd_add(t, [[2], [2], [5], [0]], p**2)
    less = tf.tensor_scatter_nd_sub(t, where, p)
    return tf.reduce_sum((wide - t) ** 2) + tf.reduce_sum(more**3) + tf.reduce_sum(less**2)


# case: rows_and_pixels(probabilities(3, 4), mask(2, 4))
def rows_and_pixels(p, t):
    rows = tf.tensor_scatter_nd_update(p, [[2], [0]], t)
    pixels = tf.tensor_scatter_nd_update(t, [[0, 1], [1, 3], [1, 0]], p[:, 1])
    table = tf.scatter_nd([[0, 1], [1, 3], [0, 1]], p[:, 2], [2, 4])
    return tf.reduce_sum(rows**2) + tf.reduce_sum(pixels**3) + tf.reduce_sum((table - t) ** 2)


# case: up_to_lengths(probabilities(3, 5), mask(3, 5))
def up_to_lengths(p, t):
    lengths = tf.constant([2, 5, 3])
    keep = tf.cast(tf.sequence_mask(lengths, maxlen=5), p.dtype)
    again = tf.sequence_mask(lengths, dtype=p.dtype)
    return tf.reduce_sum(keep * (p - t) ** 2) / tf.reduce_sum(keep) + tf.reduce_sum(again * p)


# case: coordinates(probabilities(4, 5), mask(4, 5))
def coordinates(p, t):
    """The distance between two centres of mass."""
    x, y = tf.meshgrid(tf.range(5.0, dtype=p.dtype), tf.range(4.0, dtype=p.dtype))
    i, j = tf.meshgrid(tf.range(4.0, dtype=p.dtype), tf.range(5.0, dtype=p.dtype), indexing="ij")

    def centre(m):
        total = tf.reduce_sum(m)
        return tf.reduce_sum(x * m) / total, tf.reduce_sum(y * m) / total

    (a, b), (c, d) = centre(p), centre(t)
    return tf.sqrt((a - c) ** 2 + (b - d) ** 2) + 0.01 * tf.reduce_sum(i * j * p)


# case: by_component(probabilities(2, 6), mask(2, 6))
def by_component(p, t):
    """Means and extremes of the pixels of each component."""
    number = tf.constant([[0, 1, 1, 3, 3, 0], [1, 0, 0, 3, 3, 1]])
    mean = tf.math.unsorted_segment_mean(p, number, 4)
    most = tf.math.unsorted_segment_max(p * t, number, num_segments=5)[:2]
    least = tf.math.unsorted_segment_min(p, number, num_segments=4)
    both = tf.math.unsorted_segment_prod(p, number, num_segments=4)
    even = tf.math.unsorted_segment_sqrt_n(p, number, num_segments=4)
    least = tf.where(tf.abs(least) < 2.0, least, 0.0)
    return tf.reduce_sum(mean**2) + tf.reduce_sum(most) + tf.reduce_sum(least * both + even)


# case: by_sorted_component(probabilities(6, 2))
def by_sorted_component(p):
    number = tf.constant([0, 0, 1, 3, 3, 3])
    mean = tf.math.segment_mean(p, number)
    ends = tf.math.segment_max(p, number) - tf.math.segment_min(p, number)
    return tf.reduce_sum(mean**2) + tf.reduce_sum(ends * tf.math.segment_prod(p, number))


# case: confusion(labels(10, classes=3), logits(10, 3))
def confusion(y_true, logits):
    """A penalty by how often classes are confused."""
    found = tf.argmax(logits, axis=-1)
    table = tf.math.confusion_matrix(tf.cast(y_true, tf.int64), found, num_classes=3)
    table = tf.cast(table, logits.dtype)
    recall = tf.linalg.diag_part(table) / (tf.reduce_sum(table, axis=1) + 1.0)
    p = tf.nn.softmax(logits)
    return tf.reduce_sum(tf.reduce_mean(p, axis=0) * (1.0 - recall))
