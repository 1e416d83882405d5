import assert from "node:assert/strict";
import { evaluate } from "../../../src/expression/evaluate.ts";
import { gradient } from "../../../src/gradient/gradient.ts";
import type { Trace } from "../../../src/python/program.ts";
import {
  type TestArray,
  array,
  binary,
  close,
  errorOf,
  handleOf,
  probabilities,
  session,
  traceOf,
  valueOf,
} from "./session.ts";

const shape = [2, 3, 4, 2];
const count = 48;
const p = array(shape, probabilities(count));
const t = array(shape, binary(count));
const labels = array(
  [2, 3, 4],
  Array.from({ length: 24 }, (_, k) => k % 2),
);

/** The loss that the body returns, of y_true and y_pred. */
async function lossOf(body: string, y_true: TestArray = t, imports = IMPORTS): Promise<number> {
  const source = `${imports}\ndef loss(y_true, y_pred):\n    return ${body}\n`;
  const trace = await traceOf(source, "loss", { y_true, y_pred: p });
  const captured = trace.captured.map((c) => [c.name, c.handle.token as TestArray] as const);
  return valueOf(trace, { y_true, y_pred: p, ...Object.fromEntries(captured) });
}

const IMPORTS = [
  "import numpy as np",
  "import tensorflow as tf",
  "import keras",
  "from keras import ops",
  "from tensorflow.keras import backend as K",
].join("\n");

async function failureOf(body: string, y_true: TestArray = t, dtype = "float64"): Promise<string> {
  const source = `${IMPORTS}\ndef loss(y_true, y_pred):\n    return ${body}\n`;
  const { program } = await session();
  program.load(source, "losses.py");
  const args = new Map([
    ["y_true", { kind: "array", handle: handleOf(y_true, dtype) } as const],
    ["y_pred", { kind: "array", handle: handleOf(p, "float32") } as const],
  ]);
  const e = errorOf(() => program.trace("loss", args));
  return `${e.headline} ${e.remedy ?? ""}`;
}

const sum = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0);
const product = sum(p.data.map((x, k) => x * t.data[k]!));
const dice = 1 - (2 * product) / (sum(p.data) + sum(t.data));

describe("TensorFlow", () => {
  it("has the same sums under tf, tf.math, K and keras.ops", async () => {
    for (const f of ["tf.reduce_sum", "tf.math.reduce_sum", "K.sum", "ops.sum"]) {
      close(await lossOf(`1 - 2 * ${f}(y_true * y_pred) / (${f}(y_true) + ${f}(y_pred))`), dice);
    }
  });

  it("takes the axes of a range, a list, and TensorFlow 1's names", async () => {
    const whole = await lossOf("tf.reduce_mean(tf.reduce_sum(y_pred, axis=[1, 2, 3]))");
    for (const axes of ["axis=range(1, 4)", "axis=tf.range(1, 4)", "reduction_indices=(1, 2, 3)"]) {
      close(await lossOf(`tf.reduce_mean(tf.reduce_sum(y_pred, ${axes}))`), whole);
    }
    close(
      await lossOf("tf.reduce_sum(y_pred / tf.reduce_sum(y_pred, -1, keep_dims=True))"),
      count / 2,
    );
  });

  it("keeps shapes as shapes through tf.shape, stack, concat and products of sizes", async () => {
    const flat = await lossOf("tf.reduce_sum(tf.square(K.batch_flatten(y_pred)))");
    for (const shape of [
      "[tf.shape(y_pred)[0], -1]",
      "tf.stack([tf.shape(y_pred)[0], -1])",
      "tf.concat([tf.shape(y_pred)[:1], [-1]], axis=0)",
      "[-1, tf.reduce_prod(tf.shape(y_pred)[1:])]",
      "(y_pred.shape[0], y_pred.shape[1:].num_elements())",
      "(y_pred.get_shape().as_list()[0], -1)",
    ]) {
      close(await lossOf(`tf.reduce_sum(tf.square(tf.reshape(y_pred, ${shape})))`), flat);
    }
  });

  it("resizes images between their pixels and standardizes each, which TensorFlow does in float32", async () => {
    const x = "tf.reshape(tf.range(48.) / 7, [2, 3, 4, 2]) ** 2";
    for (const [value, expected] of [
      ["tf.reshape(tf.range(60.), [2, 5, 3, 2]) * tf.image.resize(x, (5, 3))", 40286.67578125],
      ["tf.image.convert_image_dtype(tf.cast(x, tf.uint8), tf.float32)", 709 / 255],
      ["tf.image.per_image_standardization(x) ** 3", 21.329818725585938],
      ["tf.image.per_image_standardization(0 * x + 1) ** 2", 0],
    ] as const) {
      const own = await lossOf(`tf.reduce_sum(${value.replaceAll(/\bx\b/g, "(" + x + ")")})`);
      assert.ok(Math.abs(own - expected) <= 2e-6 * expected, `${value}: ${own}`);
    }
  });

  it("measures the likeness of images, in which TensorFlow computes in float32", async () => {
    const image = (f: string): string =>
      `tf.reshape(tf.${f} / 2 + 0.5, [2, 9, 11, 2])`.replace("n *", "tf.range(396.) *");
    const [x, y] = [image("sin(n * 0.7)"), image("cos(n * 0.4)")];
    for (const [value, expected] of [
      [`tf.image.ssim(${x}, ${y}, 1.0, filter_size=5)[0]`, -0.25053865],
      [`tf.image.ssim(${x}, ${y}, 2.0, 4, 1.0, k1=.02)[1]`, 0.1794363],
      [`tf.image.ssim(${x}, ${y}, 1.0, 5, return_index_map=True) ** 2`, 15.728298],
      [`tf.image.ssim_multiscale(${x}, ${x}*.9 + ${y}*.1, 1., [.3, .7], 3)[1]`, 0.9828217],
      [`tf.image.psnr(${x}, ${y}, max_val=1.0)[0]`, 6.188383],
      [`tf.image.rgb_to_grayscale(tf.reshape(${x}, [2, 6, 11, 3])) ** 2`, 46.57587814331055],
    ] as const) {
      const own = await lossOf(`tf.reduce_sum(${value})`);
      assert.ok(Math.abs(own - expected) <= 1e-5 * Math.abs(expected), `${value}: ${own}`);
    }
  });

  it("has GELU in its cubic approximation, of which TensorFlow rounds one number to float32", async () => {
    const expected = -0.15880801 + 0.84119199 + 1.95459769;
    for (const gelu of ["ops.gelu(x)", "tf.nn.gelu(x, approximate=True)"]) {
      const own = await lossOf(`tf.reduce_sum(${gelu.replace("x", "tf.constant([-1., 1., 2.])")})`);
      assert.ok(Math.abs(own - expected) < 1e-6, `${gelu}: ${own}`);
    }
    assert.match(await failureOf("tf.nn.gelu(y_pred)"), /approximate=False.*approximate=True/);
  });

  it("names what a convolution or padding of another kind would need", async () => {
    const kernel = "tf.ones((3, 3, 2, 1))";
    for (const [body, message] of [
      [`tf.nn.conv2d(y_pred, ${kernel}, 1, 'FULL')`, /another padding than "SAME" or "VALID"/],
      [
        "tf.pad(y_pred, [[0, 0], [3, 0], [0, 0], [0, 0]], 'REFLECT')",
        /no greater than 2 along axis 1/,
      ],
      ["tf.pad(y_pred, [[0, 0], [1, 0]])", /2 pairs do not fit 4 axes/],
      ["tf.image.resize(y_pred, (6, 6), 'bicubic')", /the method "bicubic" is not supported/],
    ] as const) {
      assert.match(await failureOf(body), message);
    }
  });

  it("writes to places that are named once, and carries loops out whose end is known", async () => {
    const rows = "tf.tensor_scatter_nd_update(y_pred, [[0], [0]], y_pred)";
    assert.match(await failureOf(rows), /writes to one place several times.*tensor_scatter_nd_add/);
    close(await lossOf("tf.while_loop(lambda k: k < 5, lambda k: k + 2, [0])[0]"), 6);
    close(
      await lossOf("tf.while_loop(lambda k: k < 9, lambda k: k + 1, [0], maximum_iterations=4)[0]"),
      4,
    );
    close(await lossOf("tf.foldl(lambda a, k: a + k, tf.range(4.))"), 6);
  });

  it("divides by zero to zero in divide_no_nan, and so does the gradient", async () => {
    const source = `${IMPORTS}\ndef loss(y_true, y_pred):\n    return tf.math.divide_no_nan(y_pred, y_true)\n`;
    const [x, y] = [array([2], [0.5, 0.5]), array([2], [0, 2])];
    const trace = await traceOf(source, "loss", { y_true: y, y_pred: x });
    assert.deepEqual([...gradientOf(trace, { y_true: y, y_pred: x })], [0, 0.5]);
  });

  it("gives the whole gradient of a maximum to its first argument at a tie", async () => {
    for (const [call, expected] of [
      ["tf.maximum(y_pred, y_true)", 1],
      ["tf.maximum(y_true, y_pred)", 0],
      ["ops.minimum(y_pred, y_true)", 1],
    ] as const) {
      const source = `${IMPORTS}\ndef loss(y_true, y_pred):\n    return ${call}\n`;
      const same = array([1], [0.5]);
      const trace = await traceOf(source, "loss", { y_true: same, y_pred: same });
      assert.deepEqual([...gradientOf(trace, { y_true: same, y_pred: same })], [expected]);
    }
  });

  it("follows decorators and functions made by functions", async () => {
    const source = `${IMPORTS}
@keras.saving.register_keras_serializable(package="losses")
@tf.function(jit_compile=True)
def plain(y_true, y_pred):
    return tf.reduce_mean(y_pred - y_true)

def make(scale):
    def loss(y_true, y_pred):
        return scale * plain(y_true, y_pred)
    return loss

doubled = make(2.0)
`;
    const one = await traceOf(source, "plain", { y_true: t, y_pred: p });
    const two = await traceOf(source, "doubled", { y_true: t, y_pred: p });
    close(valueOf(two, { y_true: t, y_pred: p }), 2 * valueOf(one, { y_true: t, y_pred: p }));
  });

  it("names channels last where no arrays are given, and the casts of masks pass", async () => {
    const source = `${IMPORTS}
def loss(y_true, y_pred):
    y_true = tf.cast(y_true, tf.float32)
    return tf.reduce_mean(1 - 2 * tf.reduce_sum(y_true * y_pred, axis=(1, 2)))
`;
    const trace = await traceOf(source, "loss");
    assert.deepEqual(
      trace.inputs.map((x) => x.node.shape.map((a) => a.name).join("")),
      ["bhwc", "bhwc"],
    );
  });

  it("cuts the gradient in stop_gradient, numpy() and casts to integers", async () => {
    for (const cut of ["tf.stop_gradient(y_pred)", "y_pred.numpy()", "tf.cast(y_pred, 'int32')"]) {
      const source = `${IMPORTS}\ndef loss(y_true, y_pred):\n    return tf.reduce_sum(tf.cast(${cut}, y_pred.dtype))\n`;
      const trace = await traceOf(source, "loss", { y_true: t, y_pred: p });
      assert.ok(gradientOf(trace, { y_true: t, y_pred: p }).every((g) => g === 0));
    }
  });
});

function gradientOf(
  trace: Trace,
  inputs: Readonly<Record<string, TestArray>>,
): ArrayLike<number> & Iterable<number> & { every: (f: (g: number) => boolean) => boolean } {
  const wrt = trace.inputs.find((x) => x.parameter === "y_pred")!.node;
  return Array.from(evaluate(gradient(trace.loss, wrt), new Map(Object.entries(inputs))).data);
}

describe("TensorFlow's strict types", () => {
  it("refuse integers beside floats and name the cast", async () => {
    const text = await failureOf("tf.reduce_sum(y_true * y_pred)", t, "int32");
    assert.match(
      text,
      /InvalidArgumentError: cannot compute Mul as input #1.* expected to be a int32 tensor but is a float/,
    );
    assert.match(text, /tf\.cast\(x, tf\.float32\)/);
  });

  it("refuse two precisions", async () => {
    const text = await failureOf("tf.reduce_sum(y_pred - y_true)", t, "float64");
    assert.match(
      text,
      /cannot compute Sub .* expected to be a float tensor but is a double tensor/,
    );
  });

  it("refuse a float beside integers, logarithms of integers, and sums of truth values", async () => {
    assert.match(await failureOf("0.5 * y_true", t, "int32"), /TypeError: Cannot convert 0.5/);
    assert.match(
      await failureOf("tf.math.log(y_true)", t, "int32"),
      /log is not defined for int32/,
    );
    assert.match(await failureOf("tf.reduce_mean(y_true)", t, "int32"), /a mean .* int32 tensors/);
    assert.match(await failureOf("tf.reduce_sum(y_pred > 0.5)"), /a sum is not defined for bool/);
    assert.match(await failureOf("tf.where(y_pred, y_pred, 0.0)"), /SelectV2: a bool tensor/);
  });

  it("take NumPy arrays, lists and whole numbers into the tensor's type", async () => {
    close(
      await lossOf("tf.reduce_sum(y_pred * np.array([1, 0]))"),
      await lossOf("tf.reduce_sum(y_pred[..., 0])"),
    );
    close(
      await lossOf("tf.reduce_sum(y_pred * [1, 0])"),
      await lossOf("tf.reduce_sum(y_pred[..., 0])"),
    );
    close(await lossOf("tf.reduce_sum(tf.maximum(y_pred, 0) * 2)"), 2 * sum(p.data));
  });

  it("do not hold in keras.ops, which promotes", async () => {
    const source = `${IMPORTS}\ndef loss(y_true, y_pred):\n    return ops.sum(ops.multiply(y_true, y_pred))\n`;
    const args = { y_true: handleOf(t, "int32"), y_pred: p };
    close(valueOf(await traceOf(source, "loss", args), { y_true: t, y_pred: p }), product);
  });
});

describe("Keras losses", () => {
  it("are what Keras computes: Dice over everything with epsilon below", async () => {
    const expected = 1 - (2 * product) / (sum(p.data) + sum(t.data) + 1e-7);
    close(await lossOf("keras.losses.dice(y_true, y_pred)"), expected);
    close(await lossOf("tf.keras.losses.Dice()(y_true, y_pred)"), expected, 1e-6);
  });

  it("multiply what Tversky misses by alpha, as Keras does up to 3.15.1", async () => {
    const missed = sum(t.data) - product;
    const invented = sum(p.data) - product;
    const expected = 1 - product / (product + 0.3 * missed + 0.7 * invented + 1e-7);
    close(await lossOf("keras.losses.tversky(y_true, y_pred, alpha=0.3, beta=0.7)"), expected);
  });

  it("look for the logits behind Keras's own sigmoid, and clip what TensorFlow's gives", async () => {
    const saturated = (f: string): Promise<number> =>
      lossOf(`tf.reduce_mean(keras.losses.binary_crossentropy(y_true, ${f}(100 * y_pred)))`);
    assert.ok((await saturated("keras.activations.sigmoid")) > (await saturated("tf.sigmoid")));
  });

  it("differ from the backend's, which add epsilon inside the logarithm as well", async () => {
    const one = await lossOf("tf.reduce_mean(keras.losses.binary_crossentropy(y_true, y_pred))");
    const other = await lossOf("K.mean(K.binary_crossentropy(y_true, y_pred))");
    assert.ok(one > other && one - other < 1e-5);
  });

  it("leave entries of an ignored class out of the mean", async () => {
    const kept = labels.data.map((y, k) =>
      y === 0 ? 0 : -Math.log(p.data[2 * k + 1]! / (p.data[2 * k]! + p.data[2 * k + 1]!)),
    );
    const body =
      "keras.losses.SparseCategoricalCrossentropy(ignore_class=0)(y_true, y_pred / K.sum(y_pred, -1, keepdims=True))";
    close(await lossOf(body, labels), sum(kept) / 12, 1e-6);
  });

  const CUSTOM = `${IMPORTS}
class ByImage(keras.losses.Loss):
    def __init__(self, smooth=1.0, **kwargs):
        super().__init__(**kwargs)
        self.smooth = smooth

    def call(self, y_true, y_pred):
        return self.smooth * tf.reduce_sum(tf.cast(y_true, y_pred.dtype) * y_pred, axis=[1, 2, 3])

by_mean = ByImage()
by_sum = ByImage(reduction="sum")
each = ByImage(reduction=tf.keras.losses.Reduction.NONE, name="each")
`;
  const images = [0, 1].map((b) =>
    sum(p.data.map((x, k) => (Math.floor(k / 24) === b ? x * t.data[k]! : 0))),
  );

  it("of people's own classes are reduced as the class says", async () => {
    const inputs = { y_true: t, y_pred: p };
    const value = async (name: string): Promise<number> =>
      valueOf(await traceOf(CUSTOM, name, inputs), inputs);
    close(await value("by_mean"), sum(images) / 2, 1e-6);
    close(await value("by_sum"), sum(images), 1e-6);
    const unreduced = await traceOf(CUSTOM, "each", inputs);
    assert.deepEqual(
      unreduced.outputs?.map((a) => a.size),
      [2],
    );
  });

  it("take sample weights, which call() never sees", async () => {
    const { program, run } = await session((host) => {
      host.files.set("t.npy", t);
      host.files.set("p.npy", p);
      host.files.set("w.npy", array([2], [2, 0.5]));
    });
    program.load(CUSTOM, "losses.py");
    const { call } = run(
      "t, p, w = [np.load(f) for f in ('t.npy', 'p.npy', 'w.npy')]\nby_sum(t, p, sample_weight=w)",
    );
    const trace = program.traceCall(call!);
    const names = trace.inputs.map((x) => x.parameter);
    assert.deepEqual(names, ["y_true", "y_pred", "sample_weight"]);
    const w = array([2], [2, 0.5]);
    const value = valueOf(trace, { y_true: t, y_pred: p, sample_weight: w });
    close(value, 2 * images[0]! + 0.5 * images[1]!, 1e-6);
  });

  it("are read from sources written as Keras's are", async () => {
    const source = `
from keras.src import backend, ops, tree
from keras.src.api_export import keras_export
from keras.src.losses.loss import Loss, squeeze_or_expand_to_same_rank

class Wrapper(Loss):
    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true, y_pred):
        pair = tree.map_structure(squeeze_or_expand_to_same_rank, y_true, y_pred)
        y_true = tree.map_structure_up_to(y_true, lambda x: x[0], pair)
        y_pred = tree.map_structure_up_to(y_pred, lambda x: x[1], pair)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

@keras_export("keras.losses.Overlap")
class Overlap(Wrapper):
    def __init__(self, axis=None):
        super().__init__(overlap, axis=axis)

@keras_export(["keras.losses.overlap"])
def overlap(y_true, y_pred, axis=None):
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, y_pred.dtype)
    return 1 - ops.divide(ops.sum(y_true * y_pred, axis=axis), ops.sum(y_pred) + backend.epsilon())
`;
    const inputs = { y_true: t, y_pred: p };
    const value = valueOf(await traceOf(source, "Overlap", inputs), inputs);
    close(value, 1 - product / (sum(p.data) + 1e-7), 1e-6);
  });
});

describe("What TensorFlow has and the tracer has not", () => {
  it("is an error that names the function", async () => {
    assert.match(
      await failureOf("tf.math.betainc(y_pred, y_pred, y_pred)"),
      /tensorflow\.math\.betainc/,
    );
    assert.match(await failureOf("K.conv2d(y_pred, y_pred)"), /conv2d/);
  });

  it("names what to do about tapes, items and class numbers", async () => {
    assert.match(await failureOf("tf.GradientTape()"), /function whose gradient the tape takes/);
    assert.match(await failureOf("tf.one_hot(y_pred, 2)"), /tf\.cast\(x, tf\.int32\)/);
    assert.match(await failureOf("tf.matmul(y_pred[0, 0, 0], y_pred[0, 0, 0])"), /tf\.tensordot/);
    assert.match(await failureOf("y_pred.sum()"), /\.sum of TensorFlow arrays is not known/);
    const { program } = await session();
    const source = `${IMPORTS}\ndef loss(y_true, y_pred):\n    y_pred = tf.square(y_pred)\n    y_pred[0] = 0.0\n    return tf.reduce_sum(y_pred)\n`;
    program.load(source, "losses.py");
    const e = errorOf(() => program.trace("loss", new Map()));
    assert.match(`${e.headline} ${e.remedy}`, /does not support item assignment.*tf\.where/);
  });
});
