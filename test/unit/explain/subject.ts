/** Losses written in Python, ready to be explained against the catalogue. */
import { sizesOf } from "../../../src/expression/axis.ts";
import { generator } from "../../../src/expression/equalityPoints.ts";
import { evaluateAll } from "../../../src/expression/evaluate.ts";
import type { Input } from "../../../src/expression/node.ts";
import { resize } from "../../../src/expression/walk.ts";
import {
  type Evaluate,
  type Explanation,
  type Standard,
  type WrittenGradient,
  explain,
} from "../../../src/explain/reasons/explain.ts";
import { type Subject, inputsOf, withLiterals } from "../../../src/explain/recognize/subject.ts";
import { buildEntry, factsOf } from "../../../src/losses/call.ts";
import { parseCall } from "../../../src/losses/catalogue.ts";
import { Settings } from "../../../src/losses/entry.ts";
import type { Trace } from "../../../src/python/program.ts";
import { judgeHandwritten } from "../../../src/session/handwritten.ts";
import { type TestArray, session } from "../python/session.ts";

const HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n";

export interface Written {
  readonly trace: Trace;
  readonly spans: Trace["spans"];
  readonly subject: Subject;
  /** The gradient that runs, where one is written by hand and wrong. */
  readonly byHand: WrittenGradient | null;
}

/** The function `f` of some PyTorch source, traced without arrays. Its first line is line 5. */
export async function written(source: string, callable = "f"): Promise<Written> {
  const { program } = await session();
  program.load(HEAD + source, "losses.py");
  return writtenOf(program.trace(callable));
}

export function writtenOf(trace: Trace): Written {
  const node = (role: string): Input => trace.inputs.find((x) => x.role === role)!.node as Input;
  const literals = trace.captured.map((c) => ({
    node: c.node as Input,
    values: (c.handle.token as TestArray).data,
  }));
  const { loss, spans } = withLiterals(trace.loss, literals, trace.spans);
  const mask = trace.inputs.find((x) => x.role === "other")?.node as Input | undefined;
  const { entries, inForce } = judgeHandwritten(trace);
  const written = inForce(node("prediction"));
  const byHand =
    written === null
      ? null
      : {
          gradient: withLiterals(written, literals, trace.spans).loss,
          lines: entries.flatMap((e) => e.faults.flatMap((f) => f.lines)),
        };
  return {
    trace,
    spans,
    byHand,
    subject: {
      loss,
      prediction: node("prediction"),
      target: node("target"),
      ...(mask === undefined ? {} : { mask }),
    },
  };
}

/** A catalogue call on the arrays of a subject. */
export function standardOf(call: string, subject: Subject): Standard {
  const { entry, parameters } = parseCall(call);
  const inputs = inputsOf(subject);
  const spec = entry.spec?.(new Settings(parameters), factsOf(inputs)) ?? null;
  return { loss: buildEntry(entry, parameters, inputs), spec };
}

/** Small arrays of any draw: logits or probabilities, and a mask or a map of classes. */
export function evaluateOn({ prediction, target, mask }: Subject): Evaluate {
  const sizes = new Map<string, number>();
  const inputs = [prediction, target, ...(mask === undefined ? [] : [mask])];
  for (const a of inputs.flatMap((x) => x.shape)) {
    if (a.size === null) sizes.set(a.name, a.role === "batch" ? 2 : a.role === "class" ? 3 : 4);
  }
  return (gradients, draw) => {
    const next = generator(draw + 1);
    const classes = prediction.shape.find((a) => a.role === "class")?.size ?? 3;
    const bindings = new Map(
      inputs.map((x) => {
        const shape = sizesOf(resize(x, sizes).shape);
        const value = (): number =>
          x === prediction
            ? next()
            : x.type === "int"
              ? Math.floor(next() * classes)
              : Math.round(next());
        const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, value);
        return [x.name, { shape, data }] as const;
      }),
    );
    return evaluateAll(
      gradients.map((g) => resize(g, sizes)),
      bindings,
    ).map((a) => a.data);
  };
}

/** Why a written loss differs from a catalogue call. */
export function explained({ spans, subject }: Written, call: string): Explanation {
  return explain(subject, standardOf(call, subject), {
    spans,
    file: "losses.py",
    evaluate: evaluateOn(subject),
  });
}
