/**
 * What *Check Dice Gradient…* asks, as one list that shows every answer it would take: Enter runs the
 * check, and any line changes its answer. Arrow keys, filter and screen reader work as in every list.
 */
import * as vscode from "vscode";
import { spaceApart } from "../../arrays/spaceApart.ts";
import { guessRoles, guessScale, isFloat, type Scale } from "../../session/arrays/roles.ts";
import type { Other } from "../inline/comparePicker.ts";
import type { Activation } from "./cell.ts";
import { rangeOf, shapeAndType } from "./describe.ts";
import { type LossChoice, type NotReady, type ReadyLoss, labelOf } from "./losses.ts";
import type { Partner } from "./partner.ts";
import type { PickedArray } from "./pickedArray.ts";

export type Standard = Other | { readonly kind: "none" } | { readonly kind: "nearest" };

/** Everything that is answered. */
export interface Answers {
  readonly prediction: Partner;
  readonly target: Partner;
  /** Picked besides those two: weights and the like. */
  readonly others: readonly PickedArray[];
  readonly choice: LossChoice;
  readonly loss: ReadyLoss;
  /** What the loss gets logits through; null where it takes the prediction as it is. */
  readonly activation: Activation | null;
  readonly standard: Standard;
}

/** What the list has others do. */
export interface FormActions {
  /** Null when the user leaves the answer as it is. */
  readonly chooseLoss: () => Promise<LossChoice | null>;
  readonly chooseStandard: (loss: ReadyLoss) => Promise<Standard | null>;
  readonly prepare: (
    choice: LossChoice,
    prediction: Partner,
    target: Partner,
  ) => Promise<ReadyLoss | NotReady>;
}

interface Item extends vscode.QuickPickItem {
  readonly act?: () => void | Promise<void>;
}

/** Context key: the list is open, so that a key can swap the two arrays. */
const IS_OPEN = "dice-gradient.isChecking";
const SWAP: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon("arrow-swap"),
  tooltip: "Swap prediction and target (Alt+S)",
};

/** The list that is open, for the key's command. */
let swapOpen: (() => void) | null = null;

/** Swaps prediction and target in the list that is open. */
export function swapInForm(): void {
  swapOpen?.();
}

export class CheckForm {
  private readonly actions: FormActions;
  private readonly box = vscode.window.createQuickPick<Item>();
  private prediction: Partner;
  private target: Partner;
  private readonly others: readonly PickedArray[];
  private readonly isSure: boolean;
  private swapped = false;
  private choice: LossChoice;
  private loss: ReadyLoss | NotReady | null = null;
  private standard: Standard;
  /** Null until it is asked for: then what the numbers look like holds. */
  private chosenScale: Scale | null = null;
  private chosenActivation: Activation | null = null;
  private preparing = 0;
  /** Enter was pressed before the loss was ready. */
  private isAccepting = false;
  /** A list of another question stands in front of this one. */
  private isAside = false;
  private finish: (answers: Answers | null) => void = () => undefined;

  /** @param arrays two or more, the second one may still have to be made */
  constructor(
    arrays: readonly Partner[],
    choice: LossChoice,
    standard: Standard,
    actions: FormActions,
  ) {
    const picked = arrays.filter((a) => a !== "made");
    const roles = guessRoles(picked);
    this.prediction = roles.prediction === null ? "made" : picked[roles.prediction]!;
    this.target = roles.target === null ? "made" : picked[roles.target]!;
    this.others = picked.filter((a) => a !== this.prediction && a !== this.target);
    this.isSure = roles.isSure;
    this.choice = choice;
    this.standard = standard;
    this.actions = actions;
  }

  /** Null when the user leaves. */
  async ask(): Promise<Answers | null> {
    const { box } = this;
    box.title = "Check Dice Gradient";
    box.placeholder = "Enter checks. Choose a line to change it.";
    box.ignoreFocusOut = true;
    box.buttons = [SWAP];
    box.keepScrollPosition = true;
    const answered = new Promise<Answers | null>((resolve) => {
      this.finish = resolve;
      box.onDidTriggerButton(() => {
        this.swap();
      });
      box.onDidAccept(() => {
        void this.accept();
      });
      box.onDidHide(() => {
        if (!this.isAside) resolve(null);
      });
    });
    this.prepare();
    this.show();
    box.show();
    swapOpen = () => {
      this.swap();
    };
    void vscode.commands.executeCommand("setContext", IS_OPEN, true);
    try {
      return await answered;
    } finally {
      swapOpen = null;
      void vscode.commands.executeCommand("setContext", IS_OPEN, false);
      box.dispose();
    }
  }

  swap(): void {
    [this.prediction, this.target] = [this.target, this.prediction];
    this.swapped = !this.swapped;
    this.chosenScale = null;
    this.prepare();
    this.show();
  }

  /** Gets the loss ready for these arrays; a newer state of them makes the answer void. */
  private prepare(): void {
    const mine = ++this.preparing;
    this.loss = null;
    this.box.busy = true;
    void this.actions.prepare(this.choice, this.prediction, this.target).then((loss) => {
      if (mine !== this.preparing) return;
      this.loss = loss;
      this.box.busy = false;
      this.show();
      if (this.isAccepting) this.run();
    });
  }

  private async accept(): Promise<void> {
    const [active] = this.box.activeItems;
    const item = active ?? this.box.items.find((i) => i.act !== undefined);
    await item?.act?.();
  }

  private run(): void {
    const { loss, prediction, target, others, choice, standard } = this;
    this.isAccepting = loss === null;
    if (loss === null || "problem" in loss) return;
    const activation = this.activation(loss);
    this.finish({ prediction, target, others, choice, loss, activation, standard });
  }

  private scale(): Scale {
    if (this.chosenScale !== null) return this.chosenScale;
    return this.prediction === "made" ? "probabilities" : guessScale(this.prediction).scale;
  }

  private activation(loss: ReadyLoss): Activation | null {
    if (this.scale() === "probabilities" || loss.takesLogits || loss.checked === null) return null;
    return this.chosenActivation ?? this.likelyActivation();
  }

  /** Softmax where the prediction has a class axis that the target is a map of, or shares. */
  private likelyActivation(): Activation {
    const { prediction, target } = this;
    if (prediction === "made" || prediction.shape.length < 3) return "sigmoid";
    const classes = prediction.shape[1]!;
    const isMap = target !== "made" && target.shape.length === prediction.shape.length - 1;
    return classes > 1 && (isMap || target === "made") ? "softmax" : "sigmoid";
  }

  private show(): void {
    const { box } = this;
    const at = Math.max(
      0,
      box.items.findIndex((i) => i === box.activeItems[0]),
    );
    box.items = this.items();
    const active = box.items[at];
    if (active?.act !== undefined) box.activeItems = [active];
  }

  private items(): Item[] {
    const { loss, choice, standard } = this;
    const problem = loss !== null && "problem" in loss ? loss.problem : null;
    const ready = loss === null || "problem" in loss ? null : loss;
    const label = labelOf(choice);
    return [
      {
        label: problem === null ? `Check ${label}` : `${label} cannot be checked`,
        description: problem === null ? this.summary() : "",
        detail: problem ?? this.doubts(),
        iconPath: new vscode.ThemeIcon(problem === null ? "play" : "error"),
        act: () => {
          this.run();
        },
      },
      { label: "what is checked", kind: vscode.QuickPickItemKind.Separator },
      this.row("symbol-function", "Loss", label, choice.kind === "loss" ? choice.loss.detail : "", {
        act: () =>
          this.aside(this.actions.chooseLoss, (x) => {
            this.choice = x;
            this.prepare();
          }),
      }),
      this.row("graph-line", "Prediction", nameOf(this.prediction), aboutOf(this.prediction), {
        act: () => {
          this.swap();
        },
      }),
      ...(ready === null ? [] : [this.scaleRow(ready)]),
      this.row("target", "Target", nameOf(this.target), aboutOf(this.target), {
        act: () => {
          this.swap();
        },
      }),
      ...(choice.kind === "formula"
        ? []
        : [
            this.row("diff", "Compare with", standardLabel(standard), "", {
              act: async () => {
                if (ready === null) return;
                await this.aside(
                  () => this.actions.chooseStandard(ready),
                  (x) => {
                    this.standard = x;
                  },
                );
              },
            }),
          ]),
    ];
  }

  private row(
    icon: string,
    what: string,
    answer: string,
    description: string,
    more: Pick<Item, "act">,
  ): Item {
    return {
      label: `${what}: ${answer}`,
      description,
      iconPath: new vscode.ThemeIcon(icon),
      ...more,
    };
  }

  private scaleRow(loss: ReadyLoss): Item {
    const activation = this.activation(loss);
    const scale = this.scale();
    const answer =
      scale === "probabilities"
        ? "probabilities"
        : activation === null
          ? "logits, as the loss takes them"
          : `logits, through ${activation} first`;
    return this.row("pulse", "Prediction holds", answer, "", {
      act: () =>
        this.aside(
          () => askScale(loss),
          (x) => {
            this.chosenScale = x.scale;
            this.chosenActivation = x.activation;
          },
        ),
    });
  }

  private summary(): string {
    const { standard } = this;
    const against = `${nameOf(this.prediction)} against ${nameOf(this.target)}`;
    return standard.kind === "none" || this.choice.kind === "formula"
      ? against
      : `${against}, compared with ${standardLabel(standard)}`;
  }

  /** What should be looked at before Enter. */
  private doubts(): string {
    const { prediction, target, loss } = this;
    const doubts: string[] = [];
    if (!this.isSure && !this.swapped) {
      doubts.push("which array is the prediction is a guess (Alt+S swaps)");
    }
    if (prediction !== "made" && isCoded(prediction)) {
      doubts.push("whole numbers are neither probabilities nor logits: divide them in the cell");
    } else if (
      prediction !== "made" &&
      this.chosenScale === null &&
      !guessScale(prediction).isSure
    ) {
      doubts.push(`that its numbers are ${this.scale()} is a guess`);
    }
    if (prediction !== "made" && target !== "made" && !fit(prediction.shape, target.shape)) {
      doubts.push("the shapes differ");
    }
    const apart = liesApart(prediction, target);
    if (apart !== null) {
      doubts.push(`their files place them ${apart}`);
    }
    for (const array of [prediction, target]) {
      if (array !== "made" && holdsNonFinite(array)) {
        doubts.push(
          `${array.name} holds numbers that are not finite, so the gradient is not either`,
        );
      }
    }
    if (loss !== null && !("problem" in loss)) {
      if (loss.takesLogits && this.scale() === "probabilities") {
        doubts.push("the loss applies its own activation, so it expects logits");
      }
    }
    const [first = "", ...rest] = doubts;
    const text = [first.charAt(0).toUpperCase() + first.slice(1), ...rest].join("; ");
    return text === "" ? "" : `${text}.`;
  }

  /** Asks with a list of its own, and comes back to this one. */
  private async aside<T>(ask: () => Promise<T | null>, take: (answer: T) => void): Promise<void> {
    this.isAside = true;
    this.box.hide();
    const answer = await ask();
    this.isAside = false;
    if (answer !== null) take(answer);
    this.show();
    this.box.activeItems = this.box.items.slice(0, 1);
    this.box.show();
  }
}

function nameOf(array: Partner): string {
  return array === "made" ? "random" : array.name;
}

function aboutOf(array: Partner): string {
  if (array === "made") return "made to fit the loss";
  return `${shapeAndType(array.shape, array.dtype)}, ${rangeOf(array.summary)}`;
}

/** How volumes of one shape lie apart, where both their files say where they lie. */
function liesApart(a: Partner, b: Partner): string | null {
  if (a === "made" || b === "made" || a.space === undefined || b.space === undefined) return null;
  return a.shape.join() === b.shape.join() ? spaceApart(a.space, b.space, a.shape) : null;
}

/** Whole numbers that stand for something else: 0 to 255 for shares, or numbers of classes. */
function isCoded({ dtype, summary }: PickedArray): boolean {
  return summary !== null && !isFloat(dtype) && !summary.binary;
}

function holdsNonFinite({ summary }: PickedArray): boolean {
  return summary !== null && summary.nanCount + summary.infCount > 0;
}

function standardLabel(standard: Standard): string {
  switch (standard.kind) {
    case "none":
      return "nothing";
    case "nearest":
      return "the nearest of the catalogue";
    default:
      return labelOf(standard);
  }
}

/** Equal shapes, up to axes of length 1, or a map of classes beside scores of them. */
function fit(prediction: readonly number[], target: readonly number[]): boolean {
  const bare = (shape: readonly number[]): string => shape.filter((n) => n !== 1).join(",");
  const ofMap = (at: number): readonly number[] => prediction.filter((_, k) => k !== at);
  return [prediction, ofMap(1), ofMap(prediction.length - 1)].some((s) => bare(s) === bare(target));
}

async function askScale(
  loss: ReadyLoss,
): Promise<{ readonly scale: Scale; readonly activation: Activation | null } | null> {
  const as = (label: string, description: string, scale: Scale, activation: Activation | null) => ({
    label,
    description,
    answer: { scale, activation },
  });
  const own = as("Logits", "as the loss takes them", "logits", null);
  const items = [
    as("Probabilities", "as the loss takes them", "probabilities", null),
    ...(loss.takesLogits || loss.checked === null
      ? [own]
      : [
          as("Logits", "through sigmoid first; the gradient is by the logits", "logits", "sigmoid"),
          as("Logits", "through softmax over the classes first", "logits", "softmax"),
        ]),
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: "Check Dice Gradient: the prediction holds",
    placeHolder: "What are they?",
    ignoreFocusOut: true,
  });
  return picked?.answer ?? null;
}
