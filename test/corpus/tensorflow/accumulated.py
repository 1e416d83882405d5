"""Sums of entries by label in TensorFlow."""

import tensorflow as tf


# case: dice_of_regions(probabilities(4, 4), mask(4, 4), labels(4, 4, classes=4))
def dice_of_regions(p, t, regions):
    overlap = tf.math.unsorted_segment_sum(p * t, regions, 4)
    total = tf.math.unsorted_segment_sum(p + t, regions, num_segments=4)
    return 1 - tf.reduce_mean((2 * overlap + 1) / (total + 1))
