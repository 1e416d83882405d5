/** The cell that checks a loss on picked arrays, as Python. */
import { importOf } from "../inline/sampleArrays.ts";
import type { ArrayLibrary } from "./pickedArray.ts";

/** An array in the cell. */
export interface BoundArray {
  readonly name: string;
  /** Python that makes it. */
  readonly text: string;
  /** The comment above it. */
  readonly origin: string;
}

/** What a loss gets its prediction through first. */
export type Activation = "sigmoid" | "softmax";

export interface CheckedLoss {
  /** Import or code. */
  readonly definition: string;
  readonly name: string;
  readonly library: ArrayLibrary;
  /** Names of its array parameters, in the order of its call. */
  readonly parameters: readonly string[];
  /** The one that is the prediction. */
  readonly prediction: string;
  /** Its call under a name, on arrays by what each parameter gets. */
  readonly call: (name: string, given: (parameter: string) => string) => string;
}

/** A loss as the cell calls it. */
export interface Use {
  readonly loss: CheckedLoss;
  /** Applied to the prediction before the loss, which is then differentiated by the logits. */
  readonly activation: Activation | null;
  /** The array for each parameter. */
  readonly given: (parameter: string) => string;
}

export interface CheckCell {
  readonly arrays: readonly BoundArray[];
  /** The loss, and the one it is compared with; none for a cell of arrays alone. */
  readonly uses: readonly Use[];
  /**
   * Calls of the catalogue that the loss is compared with; an empty list for the one that comes
   * nearest, null where nothing is compared.
   */
  readonly standards: readonly string[] | null;
}

/** Everything that the cell needs, so that it can be run again, alone, at any time. */
export function checkCellSource({ arrays, uses, standards }: CheckCell): string {
  const known = new Map<string, string>();
  const definitions: string[] = [];
  const wrappers: string[] = [];
  const calls = uses.map(({ loss, activation, given }) => {
    let { name, definition } = loss;
    if (known.has(name) && known.get(name) !== definition) {
      // Losses of one name from two modules.
      name = `other_${name}`;
      definition = `${definition} as ${name}`;
    }
    if (!known.has(name)) definitions.push(definition);
    known.set(name, definition);
    if (activation === null) return loss.call(name, given);
    const wrapper = ofLogits(loss, name, activation);
    wrappers.push(wrapper.text);
    return `${wrapper.name}(${loss.parameters.map((p) => `${p}=${given(p)}`).join(", ")})`;
  });
  const further = (standards ?? []).map(quoted);
  const isComparison = standards !== null || uses.length > 1;
  const lines = arrays.map((a) => `# ${oneLine(a.origin)}\n${a.name} = ${a.text}`);
  const imports = importsFor([...definitions, ...wrappers, ...arrays.map((a) => a.text)]);
  const isShort = (text: string): boolean => !text.includes("\n");
  const parts = [
    [...imports, ...definitions.filter(isShort)].join("\n"),
    ...definitions.filter((d) => !isShort(d)),
    ...wrappers,
    lines.join("\n"),
    isComparison ? comparison([...calls, ...further]) : calls.join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function comparison(parts: readonly string[]): string {
  return `compare(\n${parts.map((p) => `    ${p},\n`).join("")})`;
}

/** A string in Python; the quotes of a call stay as they are where they can. */
function quoted(call: string): string {
  if (!call.includes('"')) return `"${call}"`;
  return call.includes("'") ? JSON.stringify(call) : `'${call}'`;
}

/** A comment has one line, whatever a file is called. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, " ");
}

const IMPORTS: readonly (readonly [alias: string, line: string])[] = [
  ["np", importOf("numpy")],
  ["anp", "import autograd.numpy as anp"],
  ["jax", "import jax"],
  ["jnp", importOf("jax")],
  ["tf", importOf("tensorflow")],
  ["torch", importOf("torch")],
];

/** Imports of the modules that the texts use by their usual names, and do not import themselves. */
function importsFor(texts: readonly string[]): string[] {
  const text = texts.join("\n");
  const code = text.replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
  const written = new Set(text.split("\n"));
  return IMPORTS.filter(([alias, line]) => {
    return new RegExp(`(?<![\\w.])${alias}\\.`).test(code) && !written.has(line);
  }).map(([, line]) => line);
}

/** The loss as a function of logits. */
function ofLogits(
  loss: CheckedLoss,
  called: string,
  activation: Activation,
): { name: string; text: string } {
  const name = `${called}_of_logits`;
  const inner = loss.call(called, (p) =>
    p === loss.prediction ? activated(p, activation, loss.library) : p,
  );
  return { name, text: `def ${name}(${loss.parameters.join(", ")}):\n    return ${inner}` };
}

/** The prediction after its activation, as the library writes it, which has its own axis of classes. */
function activated(name: string, activation: Activation, library: ArrayLibrary): string {
  const isSigmoid = activation === "sigmoid";
  switch (library) {
    case "torch":
      return isSigmoid ? `torch.sigmoid(${name})` : `torch.softmax(${name}, dim=1)`;
    case "tensorflow":
      return isSigmoid ? `tf.sigmoid(${name})` : `tf.nn.softmax(${name}, axis=-1)`;
    case "jax":
      return isSigmoid ? `jax.nn.sigmoid(${name})` : `jax.nn.softmax(${name}, axis=1)`;
    case "numpy":
    case "autograd": {
      const np = library === "numpy" ? "np" : "anp";
      return isSigmoid
        ? `1 / (1 + ${np}.exp(-${name}))`
        : `${np}.exp(${name}) / ${np}.sum(${np}.exp(${name}), axis=1, keepdims=True)`;
    }
  }
}
