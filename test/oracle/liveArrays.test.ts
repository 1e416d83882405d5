import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pausedPython } from "../../src/arrays/live/debugAdapter.ts";
import { type Fetching, surveyArrays, withArray } from "../../src/arrays/live/fetch.ts";
import {
  dictionaryOf,
  type LiveFacts,
  NoLiveArray,
  type RunningPython,
} from "../../src/arrays/live/python.ts";
import type { NdArray } from "../../src/arrays/ndarray.ts";
import { root } from "../../scripts/lib/root.mjs";
import { DebugSession, type Stop } from "./debugSession.ts";

const reader = readFileSync(join(root, "media/python/array_reader.py"), "utf8");
const program = join(root, "test/oracle/live_arrays.py");

describe("arrays of a program that the real debugpy has paused", function () {
  this.timeout(600_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-live-"));
  let session: DebugSession;
  let at: Stop;

  before(async () => {
    session = await DebugSession.launch(program, [folder], "# stop:");
    at = await session.stopped();
  });
  after(async () => {
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Fetched {
    readonly facts: LiveFacts;
    readonly array: NdArray;
  }

  function fetched(expression: string, options: Fetching = {}): Promise<Fetched> {
    const python = pausedPython(session.evaluate, at.frameId);
    return withArray(python, reader, expression, async (held) => ({
      facts: held.facts,
      array: await held.read(options),
    }));
  }

  /** What arrives, byte for byte, is what the library itself says. */
  async function assertFetched(expression: string, name = expression): Promise<LiveFacts> {
    const { facts, array } = await fetched(expression);
    const wanted = (
      JSON.parse(readFileSync(join(folder, "wanted.json"), "utf8")) as Record<string, unknown>
    )[name];
    assert.deepEqual({ dtype: array.dtype, shape: array.shape }, wanted, expression);
    const bytes = new Uint8Array(array.data.buffer, array.data.byteOffset, array.data.byteLength);
    const same = Buffer.compare(bytes, readFileSync(join(folder, `${name}.bin`))) === 0;
    assert.ok(same, `${expression}: every byte`);
    return facts;
  }

  async function assertRefused(
    expression: string,
    message: RegExp,
    instead: string | null = null,
  ): Promise<void> {
    await assert.rejects(fetched(expression), (error) => {
      assert.ok(error instanceof NoLiveArray, `${expression}: ${String(error)}`);
      assert.match(error.message, message);
      assert.equal(error.instead, instead, expression);
      return true;
    });
    // What is offered instead can be read.
    if (instead !== null) await fetched(instead);
  }

  /** Lets the program run to the next stop. */
  async function goOn(): Promise<void> {
    await session.request("continue", { threadId: at.threadId });
    at = await session.stopped();
  }

  /** What a frame and its program hold: names, and the reader's module. */
  async function traces(): Promise<string> {
    return session.text(
      "repr((sorted(locals()), sorted(globals()), [m for m in __import__('sys').modules if 'dice' in m]))",
      at.frameId,
    );
  }

  it("NumPy arrays arrive whole, whatever their order, byte order, dtype and size", async () => {
    assert.equal(at.name, "numpy_arrays");
    const before = await traces();
    const names =
      "c_order fortran sliced transposed broadcast big_endian big_integers zero_d scalar empty " +
      "truth halves brain complexes unsigned bytes_ mapped matrix unmasked large numbers integers flags";
    for (const name of names.split(" ")) await assertFetched(name);
    await assertFetched("c_order # with a comment", "c_order");
    assert.equal((await fetched("batch['mask'][0]")).array.data.length, 9);
    assert.equal(await traces(), before, "nothing is left in the program");
  });

  it("progress is told after each piece, and stopping leaves nothing behind", async () => {
    const before = await traces();
    const seen: number[] = [];
    await fetched("large", {
      onProgress: (done, of) => {
        seen.push(done / of);
      },
    });
    assert.ok(seen.length > 1 && seen.at(-1) === 1, seen.join());
    const stopping = new AbortController();
    await assert.rejects(
      fetched("large", {
        signal: stopping.signal,
        onProgress: () => {
          stopping.abort();
        },
      }),
      { name: "AbortError" },
    );
    assert.equal(await traces(), before);
  });

  it("what NumPy holds besides numbers is refused in words, with what to take instead", async () => {
    await assertRefused("masked", /1 masked element/, "masked.filled(0)");
    await assertRefused("objects[:1]", /Python objects/, "(objects[:1]).astype('float64')");
    await assertRefused("records", /fields mask, id/, "records['mask']");
    await assertRefused("words", /holds text/);
    await assertRefused("dates", /holds dates/);
    await assertRefused("wide", /longdouble|float128/, "wide.astype('float64')");
    await assertRefused("tiny", /float8_e4m3fn/, "tiny.astype('float32')");
    await assertRefused("ragged", /different lengths/);
    await assertRefused("several", /pick one of its elements/);
    await assertRefused("nothing", /is None/);
    await assertRefused("batch", /is a dict/);
    await assert.rejects(
      fetched("undefined_name"),
      /undefined_name is not known where the program/,
    );
    await assert.rejects(fetched("c_order +"), /could not evaluate it: SyntaxError/);
    await assert.rejects(fetched("c_order[99]"), /could not evaluate it: IndexError/);
  });

  it("the arrays of a frame are surveyed at once", async () => {
    const python = pausedPython(session.evaluate, at.frameId);
    const found = await surveyArrays(
      python,
      reader,
      dictionaryOf(["c_order", "batch", "truth", "objects"]),
    );
    assert.deepEqual([...found.keys()], ["c_order", "truth"]);
    assert.deepEqual(found.get("truth")?.shape, [5, 7]);
  });

  it("PyTorch tensors arrive detached, with their gradient beside them", async () => {
    while (at.name !== "torch_tensors") await goOn();
    const before = await traces();
    const leaf = await assertFetched("leaf");
    assert.equal(leaf.grad, true);
    assert.equal(leaf.device, "cpu");
    await assertFetched("leaf.grad", "leaf_grad");
    assert.equal((await assertFetched("doubled")).grad, false);
    const names =
      "parameter transposed expanded zero_d empty truth classes unsigned halves brain conjugate meta_tensor";
    for (const name of names.split(" ")) await assertFetched(name);
    await assertRefused("parameter.grad", /is None/);
    assert.equal(await traces(), before);
    assert.doesNotMatch(session.output, /Warning/, "no warning is printed to the user");
  });

  it("tensors without numbers of their own are refused, with what to take instead", async () => {
    await assertRefused("sparse", /is sparse \(sparse_coo\)/, "sparse.to_dense()");
    await assertRefused("quantized", /is quantized \(quint8\)/, "quantized.dequantize()");
    await assertRefused(
      "nested",
      /is a nested tensor/,
      "__import__('torch').nested.to_padded_tensor(nested, 0.0)",
    );
    await assertRefused("meta", /no numbers/);
    await assertRefused("fake", /no numbers/);
    await assertRefused("narrow", /float8/, "narrow.to(__import__('torch').float32)");
    await assertRefused("model", /is a Linear/);
  });

  it("TensorFlow's tensors and variables arrive without a gradient tape seeing it", async () => {
    while (at.name !== "tensorflow_tensors") await goOn();
    for (const name of "eager brain truth classes variable layer_weight".split(" ")) {
      await assertFetched(name);
    }
    await assertRefused("sparse", /sparse/, "__import__('tensorflow').sparse.to_dense(sparse)");
    await assertRefused("ragged", /ragged/, "ragged.to_tensor()");
    await assertRefused("words", /holds string/);
    await assertRefused("symbolic", /symbolic tensor of Keras/);
    await goOn();
    assert.equal(await session.text("str(watched)", at.frameId), "0", "the tape watches nothing");
    await goOn();
    assert.equal(at.name, "in_graph");
    await assertRefused("total", /tensor of a graph/);
  });

  it("JAX arrays arrive; what JAX has taken back does not", async () => {
    while (at.name !== "jax_arrays") await goOn();
    for (const name of ["plain", "brain", "classes"]) await assertFetched(name);
    await assertRefused("key", /random keys/, "__import__('jax').random.key_data(key)");
    await assertRefused("deleted", /was deleted/);
    await assertRefused("small", /float8/, "small.astype('float32')");
  });

  it("inside a loss that is being differentiated, the numbers behind the tracers are read", async () => {
    await goOn();
    await assertFetched("y_pred", "boxed");
    await goOn();
    await assertFetched("y_pred", "traced");
    await assertFetched("activated", "traced_twice");
    await goOn();
    await assertRefused("y_pred", /being traced by JAX/);
    await goOn();
    await assertFetched("y_pred", "transformed");
    await assertFetched("activated", "transformed_twice");
    await goOn();
    await assertRefused("y_pred", /torch\.vmap/);
  });
});

describe("a program that goes on while an array of it is read", function () {
  this.timeout(120_000);
  const folder = mkdtempSync(join(tmpdir(), "dice-gradient-live-"));
  const program = join(folder, "program.py");
  let session: DebugSession;
  let at: Stop;

  before(() => {
    const lines = [
      "import numpy as np",
      "def work():",
      "    y_pred = np.linspace(0, 1, 700_000)",
      "    steps = 0",
      "    steps += 1  # stop",
      "    steps += 1  # stop",
      "    y_pred[-1] = 0.5",
      "    steps += 1  # stop",
      "    return y_pred",
      "y_pred = work()",
      "print('done')  # stop",
    ];
    writeFileSync(program, lines.join("\n"));
  });
  beforeEach(async () => {
    // A program that stops at every exception must not stop at one of the reader's.
    session = await DebugSession.launch(program, [], "# stop", { exceptions: ["raised"] });
    at = await session.stopped();
  });
  afterEach(() => session.close());
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Reads y_pred; `meanwhile` happens after the first piece. */
  function read(meanwhile: () => Promise<unknown>): Promise<NdArray> {
    const python = pausedPython(session.evaluate, at.frameId);
    let pieces = 0;
    const watched: RunningPython = {
      evaluate: (expression) => python.evaluate(expression),
      evaluateAnywhere: async (expression) => {
        const text = await python.evaluateAnywhere(expression);
        if (expression.includes(".read(") && ++pieces === 1) await meanwhile();
        return text;
      },
    };
    return withArray(watched, reader, "y_pred", (held) => held.read());
  }

  async function goOn(): Promise<void> {
    await session.request("continue", { threadId: at.threadId });
    at = await session.stopped();
  }

  it("the array arrives as it was while nothing changes it", async () => {
    const { data } = await read(goOn);
    assert.deepEqual([data.length, data[0], data[699_999]], [700_000, 0, 1]);
  });

  it("an array that changed is refused: half of it would be of another moment", async () => {
    await goOn();
    await assert.rejects(read(goOn), /y_pred changed while it was being read/);
  });

  it("the end of the session is said, and what was picked before is no longer to be had", async () => {
    await assert.rejects(
      read(() => session.request("terminate", {}).catch(() => undefined)),
      /The debug session ended before the array was read/,
    );
  });

  it("a frame that has ended has no arrays any more", async () => {
    const { frameId } = at;
    while (at.name === "work") await goOn();
    const python = pausedPython(session.evaluate, frameId);
    await assert.rejects(
      withArray(python, reader, "y_pred", (held) => held.read()),
      /no longer paused where the array was picked/,
    );
  });

  it("a debugger that stops at every exception does not stop at a refusal", async () => {
    const python = pausedPython(session.evaluate, at.frameId);
    for (const expression of ["None", "np.array([None])", "[[1], [2, 3]]"]) {
      await assert.rejects(
        withArray(python, reader, expression, (held) => held.read()),
        NoLiveArray,
      );
    }
    await goOn();
    assert.deepEqual([at.reason, at.line], ["breakpoint", 6]);
  });
});
