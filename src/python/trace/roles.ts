/** Which argument of a loss is the prediction, and which the target: by name, else by order. */
import type { Library } from "../dtypes.ts";

export type Role = "prediction" | "target" | "other";

export interface Candidate {
  readonly name: string;
  /** Integer and boolean arrays are no predictions. */
  readonly isReal: boolean;
}

const PREDICTION =
  /^(y_?pred\w*|y_?hat|yp|y_p|pred\w*|inputs?|input_\w+|inp|logits?\w*|outputs?|out|net_?outputs?|prob\w*|p|q|score\w*|soft\w*|sigmoid\w*|x|proba?|estimate\w*|segmentation)$/i;
const TARGET =
  /^(y_?true\w*|yt|y_t|true\w*|targets?|target_\w+|tgt|gt\w*|ground_?truth\w*|g|labels?\w*|y|t|truth|actual|ref\w*|seg\w*|y_onehot|one_?hot\w*|trg|annotation\w*)$/i;
/** A target where nothing else is; beside a target, a region of interest. */
const MASK = /^(\w*mask\w*|roi|valid\w*)$/i;

/** Whether a name itself says prediction, target or mask; otherwise the order decides. */
export function isNamedByRole(name: string): boolean {
  return TARGET.test(name) || PREDICTION.test(name) || MASK.test(name);
}

/** Words of longer names, as in `liver_pred` or `case01_gt`. */
const PREDICTION_WORD = /^(pred\w*|prob\w*|logits?|outputs?|scores?|softmax|sigmoid|yhat)$/i;
const TARGET_WORD = /^(true|truth|targets?|gt|labels?|seg\w*|annot\w*|onehot|reference)$/i;

/**
 * The role that a name says, by itself or by its words, the last one first; null where it says none.
 * A mask is a target unless something else is.
 */
export function roleOfName(name: string): "prediction" | "target" | "mask" | null {
  if (TARGET.test(name)) return "target";
  if (PREDICTION.test(name)) return "prediction";
  for (const word of name.split(/[^A-Za-z]+/).reverse()) {
    if (TARGET_WORD.test(word)) return "target";
    if (PREDICTION_WORD.test(word)) return "prediction";
  }
  // Of files, too: "case 1_mask.nii.gz".
  return name.split(/\W+/).some((part) => MASK.test(part)) ? "mask" : null;
}

export function rolesOf(inputs: readonly Candidate[], library: Library): Role[] {
  const roles = inputs.map(({ name }): Role | "mask" | null => {
    if (/weight|alpha|beta|gamma|bias|dist/i.test(name)) return "other";
    if (TARGET.test(name)) return "target";
    if (PREDICTION.test(name)) return "prediction";
    return MASK.test(name) ? "mask" : null;
  });
  if (!roles.includes("target")) claim(roles, "mask", "target");
  const free = (): number[] => roles.flatMap((r, k) => (r === null ? [k] : []));
  if (!roles.includes("prediction")) {
    // Keras and scikit-learn put the truth first; with unlike dtypes, the real one is predicted.
    const order = free();
    const real = order.filter((k) => inputs[k]!.isReal);
    const truthFirst = library === "tensorflow" && !roles.includes("target");
    const pick = truthFirst && real.length > 1 ? real.at(-1) : (real[0] ?? order[0]);
    if (pick !== undefined) roles[pick] = "prediction";
  }
  if (!roles.includes("target")) {
    const next = free()[0];
    if (next !== undefined) roles[next] = "target";
  }
  return roles.map((r) => (r === null || r === "mask" ? "other" : r));
}

function claim(roles: (Role | "mask" | null)[], from: "mask", to: Role): void {
  const k = roles.indexOf(from);
  if (k >= 0) roles[k] = to;
}
