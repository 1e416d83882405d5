/** *Check Dice Gradient…*: from the arrays that someone points at to a report in a notebook. */
import * as vscode from "vscode";
import type { DerivedInput } from "../../session/inline/protocol.ts";
import { FORMULA_LANGUAGE, type NotebookController, directoryOf } from "../controller.ts";
import type { Engine } from "../engine.ts";
import { pickLoss } from "../inline/comparePicker.ts";
import type { InlineDocuments } from "../inline/documents.ts";
import { classesOf } from "../inline/inspection.ts";
import { code, insertAndRun, notebookInUse } from "../notebooks.ts";
import { ArrayStore } from "./arrayStore.ts";
import { type BoundArray, type Use, checkCellSource } from "./cell.ts";
import { expressionOf } from "./expression.ts";
import { type Answers, CheckForm, type Standard } from "./form.ts";
import { distinctFrom, identifierOf } from "./identifier.ts";
import { FORMULA, type LossChoice, Losses, type ReadyLoss, type Shapes } from "./losses.ts";
import { type GivenInput, madeFor } from "./made.ts";
import { type Partner, type PartnerSources, pickPartner } from "./partner.ts";
import type { ArrayOffer, PickedArray } from "./pickedArray.ts";

/** Where the last answers are kept, in the workspace. */
const LAST_LOSS = "dice-gradient.check.loss";
const LAST_STANDARD = "dice-gradient.check.standard";

export interface CheckOptions {
  /** Arrays of the same place, offered when only one was picked. */
  readonly others?: () => Promise<readonly ArrayOffer[]>;
}

export class ArrayChecks {
  private readonly documents: InlineDocuments;
  private readonly controller: NotebookController;
  private readonly engine: Engine;
  private readonly memory: vscode.Memento;
  private readonly store: ArrayStore;
  private readonly losses: Losses;
  private readonly elsewhere: Omit<PartnerSources, "near">;

  /** @param elsewhere arrays that are offered whatever was picked */
  constructor(
    documents: InlineDocuments,
    controller: NotebookController,
    engine: Engine,
    context: vscode.ExtensionContext,
    elsewhere: Omit<PartnerSources, "near">,
  ) {
    this.documents = documents;
    this.controller = controller;
    this.engine = engine;
    this.memory = context.workspaceState;
    this.store = new ArrayStore(context.globalStorageUri);
    this.losses = new Losses(documents, engine);
    this.elsewhere = elsewhere;
  }

  /** Asks what cannot be told from the arrays, and runs the check in a notebook. */
  async checkDiceGradient(
    picked: readonly PickedArray[],
    options: CheckOptions = {},
  ): Promise<void> {
    const [first, ...rest] = picked;
    if (first === undefined) return;
    this.engine.warm();
    const all: Partner[] = [...picked];
    if (rest.length === 0) {
      const near = options.others ?? ((): Promise<readonly ArrayOffer[]> => Promise.resolve([]));
      const partner = await pickPartner(first, { ...this.elsewhere, near }, this.memory);
      if (partner === null) return;
      all.push(partner);
    }
    const last = this.memory.get<LossChoice>(LAST_LOSS);
    const choice = last ?? (await this.chooseLoss());
    if (choice === null) return;
    const standard = this.memory.get<Standard>(LAST_STANDARD) ?? { kind: "none" };
    const answers = await new CheckForm(all, choice, standard, {
      chooseLoss: () => this.chooseLoss(),
      chooseStandard: (loss) => this.chooseStandard(loss),
      prepare: (loss, prediction, target) => this.losses.ready(loss, shapesOf(prediction, target)),
    }).ask();
    if (answers === null) return;
    void this.memory.update(LAST_LOSS, answers.choice);
    await this.show(answers);
  }

  private chooseLoss(): Promise<LossChoice | null> {
    return pickLoss<LossChoice & { readonly kind: "formula" }>(this.documents, this.memory, {
      title: "Check Dice Gradient: the loss",
      placeholder: `Choose a loss, or type a call or a formula of p and g: ${FORMULA}`,
      target: null,
      derivation: Promise.resolve(true),
      lastKey: LAST_LOSS,
      lastTitle: "last checked",
      typed: (text) =>
        /[*/+^-]|sum\s*\(/.test(text) && !/^[\w.]+\([^()]*\)?$/.test(text)
          ? {
              label: text,
              description: "a formula of p, the prediction, and g, the target",
              icon: "symbol-operator",
              value: { kind: "formula", text },
            }
          : null,
    });
  }

  private chooseStandard(loss: ReadyLoss): Promise<Standard | null> {
    return pickLoss<Standard & { readonly kind: "none" | "nearest" }>(this.documents, this.memory, {
      title: `Check Dice Gradient: compare ${loss.label} with`,
      placeholder: "Choose a loss, or type a call: monai.losses.DiceLoss(sigmoid=True)",
      target: loss.target,
      derivation: Promise.resolve(true),
      lastKey: LAST_STANDARD,
      lastTitle: "last compared with",
      first: [
        {
          label: "Nothing",
          description: "the check alone",
          icon: "circle-slash",
          value: { kind: "none" },
        },
        {
          label: "The nearest of the catalogue",
          description: "found when the cell runs",
          icon: "book",
          value: { kind: "nearest" },
        },
      ],
    });
  }

  private async show(answers: Answers): Promise<void> {
    const editor = notebookInUse(this.controller);
    const notebook = editor?.notebook ?? null;
    const { choice, loss, activation, standard } = answers;
    const { arrays, given, byRole } = await this.bind(answers, notebook);
    if (choice.kind === "formula" || loss.checked === null) {
      const cell = checkCellSource({ arrays, uses: [], standards: null });
      const cells = [code(cell), code(loss.label, FORMULA_LANGUAGE)];
      await insertAndRun(this.controller, editor, cells);
      return;
    }
    // What is imported is looked for beside a saved notebook, else in the workspace.
    const imports = directoryOf(notebook) === directoryOf(null);
    const definition = await loss.definition(imports);
    const uses: Use[] = [
      { loss: { ...loss.checked, definition }, activation, given: (p) => given.get(p) ?? p },
    ];
    if (standard.kind === "loss") {
      const other = await this.secondUse(standard, answers, imports, byRole);
      if (other === null) return;
      uses.push(other);
    }
    const standards =
      standard.kind === "nearest" ? [] : standard.kind === "catalogue" ? [standard.call] : null;
    const cell = checkCellSource({ arrays, uses, standards });
    await insertAndRun(this.controller, editor, [code(cell)]);
  }

  /** Names and Python for the arrays, and which of them each parameter gets. */
  private async bind(
    { prediction, target, others, loss, choice }: Answers,
    notebook: vscode.NotebookDocument | null,
  ): Promise<{
    readonly arrays: readonly BoundArray[];
    readonly given: ReadonlyMap<string, string>;
    readonly byRole: ReadonlyMap<DerivedInput["role"], string>;
  }> {
    const known: GivenInput[] = [];
    const chosen = new Map<string, PickedArray>();
    const rest = [...others];
    for (const input of loss.inputs) {
      const array =
        input.role === "prediction" ? prediction : input.role === "target" ? target : null;
      const own = rest.findIndex((a) => identifierOf(a.name) === input.name);
      const picked = array ?? (own < 0 ? (rest.shift() ?? "made") : rest.splice(own, 1)[0]!);
      if (picked === "made") continue;
      chosen.set(input.name, picked);
      known.push({ input, shape: picked.shape });
    }
    const taken = new Set([loss.checked?.name ?? ""]);
    const arrays: BoundArray[] = [];
    const given = new Map<string, string>();
    const byRole = new Map<DerivedInput["role"], string>();
    for (const [k, input] of loss.inputs.entries()) {
      const array =
        chosen.get(input.name) ??
        madeFor(input, known, loss.label, {
          logits: loss.takesLogits,
          classes: classesOf(loss.inputs),
          seed: k + 1,
        });
      const wanted = choice.kind === "formula" ? input.name : identifierOf(array.name);
      const name = distinctFrom(wanted, taken);
      taken.add(name);
      const text = await expressionOf(array, input.library, notebook, this.store);
      arrays.push({ name, text, origin: array.origin });
      given.set(input.name, name);
      if (!byRole.has(input.role)) byRole.set(input.role, name);
    }
    return { arrays, given, byRole };
  }

  /** The loss of the user's that is compared with; null after telling why it cannot be. */
  private async secondUse(
    standard: Standard & { readonly kind: "loss" },
    { prediction, target, activation }: Answers,
    imports: boolean,
    byRole: ReadonlyMap<DerivedInput["role"], string>,
  ): Promise<Use | null> {
    const ready = await this.losses.ready(standard, shapesOf(prediction, target));
    if ("problem" in ready || ready.checked === null) {
      const why = "problem" in ready ? `: ${ready.problem}` : "";
      // Not awaited: nothing waits for the message to be closed.
      void vscode.window.showInformationMessage(
        `${standard.loss.name} cannot be compared with${why}.`,
      );
      return null;
    }
    const roles = new Map(ready.inputs.map((x) => [x.name, x.role]));
    return {
      loss: { ...ready.checked, definition: await ready.definition(imports) },
      // A loss of probabilities is made one of logits as the first one is.
      activation: ready.takesLogits ? null : activation,
      given: (p) => byRole.get(roles.get(p) ?? "other") ?? p,
    };
  }
}

/** The shapes of the two arrays; one that is to be made is like the other. */
function shapesOf(prediction: Partner, target: Partner): Shapes {
  const some = prediction === "made" ? target : prediction;
  const like = some === "made" ? [2, 1, 4, 4] : some.shape;
  return {
    prediction: prediction === "made" ? like : prediction.shape,
    target:
      target === "made"
        ? { shape: like, type: "float" }
        : { shape: target.shape, type: typeOf(target.dtype) },
  };
}

function typeOf(dtype: string): DerivedInput["type"] {
  return dtype === "bool" ? "bool" : dtype.includes("int") ? "int" : "float";
}
