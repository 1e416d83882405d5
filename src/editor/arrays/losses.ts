/** The loss that picked arrays are checked with: one of the user's, of the catalogue, or a formula. */
import * as vscode from "vscode";
import type { DerivedInput } from "../../session/inline/protocol.ts";
import { type Engine, EngineFailure } from "../engine.ts";
import type { Other } from "../inline/comparePicker.ts";
import type { InlineDocuments } from "../inline/documents.ts";
import { callOf, definitionOf, requiredOf, takesLogits } from "../inline/inspection.ts";
import type { Target } from "../inline/target.ts";
import type { CheckedLoss } from "./cell.ts";

export type LossChoice = Other | { readonly kind: "formula"; readonly text: string };

/** Of a formula, p is the prediction and g the target. */
export const FORMULA = "1 - 2*sum(p .* g) / (sum(p) + sum(g))";

/** A loss that is ready to be called. */
export interface ReadyLoss {
  readonly label: string;
  readonly inputs: readonly DerivedInput[];
  /** It has a sigmoid or softmax of its own. */
  readonly takesLogits: boolean;
  /** The user's own, by which the catalogue can be ranked. */
  readonly target: Target | null;
  /** Null for a formula, which is a cell of its own. */
  readonly checked: Omit<CheckedLoss, "definition"> | null;
  /** @param imports whether the cell can import from the workspace's folder */
  readonly definition: (imports: boolean) => Promise<string>;
}

/** What keeps a loss from being called. */
export interface NotReady {
  readonly problem: string;
}

/** The arrays that the loss is to be called with. */
export interface Shapes {
  readonly prediction: readonly number[];
  readonly target: { readonly shape: readonly number[]; readonly type: DerivedInput["type"] };
}

export function labelOf(choice: LossChoice): string {
  return choice.kind === "catalogue"
    ? choice.call
    : choice.kind === "formula"
      ? choice.text
      : choice.loss.name;
}

export class Losses {
  private readonly documents: InlineDocuments;
  private readonly engine: Engine;

  constructor(documents: InlineDocuments, engine: Engine) {
    this.documents = documents;
    this.engine = engine;
  }

  /** Never rejects for what is wrong with the loss. */
  async ready(choice: LossChoice, shapes: Shapes): Promise<ReadyLoss | NotReady> {
    switch (choice.kind) {
      case "loss":
        return this.own(choice.loss.uri, choice.loss.name);
      case "catalogue":
        return this.ofCatalogue(choice.call, shapes);
      case "formula":
        return formula(choice.text, shapes);
    }
  }

  private async own(uri: string, name: string): Promise<ReadyLoss | NotReady> {
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri)).then(
      (d) => d,
      () => null,
    );
    if (document === null) return { problem: `The file of ${name} is not there any more` };
    const derived = await this.documents.derived(document, name, { fresh: true });
    if (derived === null) return { problem: `${name} is not in the file any more` };
    if (derived.kind === "failed") {
      const { message, line } = derived.failure;
      return { problem: message + (line === null ? "" : ` (line ${String(line)})`) };
    }
    const prediction = derived.inputs.find((x) => x.role === "prediction");
    if (prediction === undefined) return { problem: `${name} takes no array to differentiate by` };
    const target = { document, name };
    const required = requiredOf(this.documents, target);
    return {
      label: name,
      inputs: derived.inputs,
      takesLogits: takesLogits(derived, prediction),
      target,
      checked: {
        name,
        library: prediction.library,
        parameters: derived.inputs.map((x) => x.name),
        prediction: prediction.name,
        call: (as, given) => callOf(as, required, derived, (input) => given(input.name)),
      },
      definition: (imports) => {
        if (!imports) return Promise.resolve(derived.code);
        const from = moduleOfFile(derived.report.function.file);
        const isImported = this.documents.loss(document, name)?.candidate.kind === "imported";
        // From where it is defined: importing the file at hand would run what else is in it.
        return isImported && from !== null && derived.report.function.name === name
          ? Promise.resolve(`from ${from} import ${name}`)
          : definitionOf(target, derived);
      },
    };
  }

  private async ofCatalogue(call: string, arrays: Shapes): Promise<ReadyLoss | NotReady> {
    try {
      const answer = await this.engine.catalogue({ formula: call, arrays });
      if (!("formula" in answer)) return { problem: `${call} has no formula` };
      const { code, inputs, loss } = answer.formula;
      if (code === null) return { problem: `${call} cannot be written as one function` };
      const taken = inputs.map((x): DerivedInput => ({ ...x, library: "torch" }));
      const prediction = taken.find((x) => x.role === "prediction")!;
      const derived = { inputs: taken, report: { loss } };
      const required = { parameters: [], settings: null };
      const text = `# ${answer.formula.call}, written out for arrays of these shapes\n${code.text.trimEnd()}`;
      return {
        label: call,
        inputs: taken,
        takesLogits: takesLogits(derived, prediction),
        target: null,
        checked: {
          name: code.name,
          library: "torch",
          parameters: taken.map((x) => x.name),
          prediction: prediction.name,
          call: (as, given) => callOf(as, required, derived, (input) => given(input.name)),
        },
        definition: () => Promise.resolve(text.replace(/^import torch\n+/m, "")),
      };
    } catch (e) {
      if (e instanceof EngineFailure) return { problem: e.message };
      throw e;
    }
  }
}

/** The dotted name of a file that reports name by its path in the workspace; null for any other. */
function moduleOfFile(file: string): string | null {
  const parts = file.replace(/\.py$/, "").split("/");
  return file.endsWith(".py") && parts.every((p) => /^[A-Za-z_]\w*$/.test(p))
    ? parts.join(".")
    : null;
}

function formula(text: string, { prediction, target }: Shapes): ReadyLoss {
  const input = (
    name: string,
    role: DerivedInput["role"],
    shape: readonly number[],
  ): DerivedInput => ({ name, role, shape, type: "float", library: "numpy" });
  return {
    label: text,
    inputs: [input("p", "prediction", prediction), input("g", "target", target.shape)],
    takesLogits: /sigmoid|softmax|σ/.test(text),
    target: null,
    checked: null,
    definition: () => Promise.resolve(""),
  };
}
