"""Layers that losses call as functions, and losses by margins."""

import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.layers import Activation, Add, Concatenate, Lambda, UpSampling2D


# case: deep_supervision(mask(2, 4, 6, 1), probabilities(2, 2, 3, 1))
def deep_supervision(y_true, y_pred):
    """A coarse prediction brought to the size of the mask, and the mask to that of the prediction."""
    fine = UpSampling2D(size=(2, 2))(y_pred)
    coarse = layers.AveragePooling2D(2)(y_true)
    dice = 2.0 * tf.reduce_sum(fine * y_true) / tf.reduce_sum(fine + y_true)
    return 1.0 - dice + tf.reduce_mean(layers.Subtract()([y_pred, coarse]) ** 2)


# case: sizes(mask(2, 4, 5, 2), probabilities(2, 4, 5, 2))
def sizes(y_true, y_pred):
    share = layers.GlobalAveragePooling2D()(y_pred) - layers.GlobalAvgPool2D()(y_true)
    most = layers.GlobalMaxPooling2D(keepdims=True)(y_pred)
    return tf.reduce_sum(share**2) + tf.reduce_sum(most * y_true)


# case: framed(mask(2, 4, 5, 1), probabilities(2, 4, 5, 1))
def framed(y_true, y_pred):
    inside = layers.Cropping2D(cropping=((1, 0), (1, 2)))(y_pred - y_true)
    wide = layers.ZeroPadding2D(padding=(1, 2))(y_pred)
    long = layers.ZeroPadding1D(2)(y_pred[..., 0]) + layers.ZeroPadding1D((1, 3))(y_true[..., 0])
    near = layers.MaxPooling2D(3, strides=1)(wide)
    return tf.reduce_sum(inside**2) + tf.reduce_sum(near**2) + tf.reduce_sum(long**3)


# case: shaped(mask(2, 4, 3), probabilities(2, 4, 3))
def shaped(y_true, y_pred):
    flat = layers.Flatten()(y_pred) * layers.Reshape((12,))(y_true)
    turned = layers.Permute((2, 1))(y_pred) * layers.Reshape((3, -1))(y_true)
    rows = layers.RepeatVector(3)(y_pred[:, :, 0]) + turned
    return tf.reduce_sum(flat) + tf.reduce_sum(turned**2) + tf.reduce_sum(rows**2)


# case: joined(mask(2, 4, 3), logits(2, 4, 3))
def joined(y_true, logits):
    p = Activation("sigmoid")(logits)
    q = Activation(tf.nn.softmax)(logits)
    both = Concatenate(axis=1)([p, q]) * Concatenate(axis=1)([y_true, y_true])
    total = Add()([p, q, y_true]) + layers.Multiply()([p, q]) - layers.Average()([p, q, y_true])
    ends = layers.Maximum()([p, y_true]) - layers.Minimum()([p, q])
    return tf.reduce_sum(both**2) + tf.reduce_sum(total**2) + tf.reduce_sum(ends**2)


# case: curved(logits(3, 4), mask(3, 4))
def curved(x, t):
    y = layers.ReLU(max_value=1.0)(x) + layers.LeakyReLU(negative_slope=0.25)(x)
    y = y + layers.ELU()(x) + layers.Softmax(axis=0)(x)
    scaled = layers.Rescaling(0.5, offset=-1.0)(y)
    return tf.reduce_sum(y**2 * t) + tf.reduce_sum(layers.Dropout(0.5)(scaled))


# case: by_function(mask(2, 4), probabilities(2, 4))
def by_function(y_true, y_pred):
    square = Lambda(lambda x: x**2)
    power = Lambda(lambda x, n: x**n, arguments={"n": 3})
    return tf.reduce_sum(square(y_pred - y_true)) + tf.reduce_sum(power(y_pred))


# case: hinges(mask(3, 4), logits(3, 4))
# case: hinges(soft(3, 4), logits(3, 4))
def hinges(y_true, y_pred):
    a = tf.keras.losses.hinge(y_true, y_pred)
    b = keras.losses.squared_hinge(y_true, y_pred)
    c = keras.losses.Hinge()(y_true, y_pred) + keras.losses.SquaredHinge(reduction="sum")(
        y_true, y_pred
    )
    return tf.reduce_sum(a) + tf.reduce_mean(b) + c


# case: categorical_hinges(onehot(5, 3, axis=-1), logits(5, 3))
def categorical_hinges(y_true, y_pred):
    first = tf.reduce_sum(keras.losses.categorical_hinge(y_true, y_pred))
    return first + keras.losses.CategoricalHinge()(y_true, y_pred)
