/** DG014: arrays of PyTorch that are changed in place while autograd still needs what they held. */
import type { Expr, SourceSpan, UnaryOp } from "../../expression/node.ts";
import { type Change, type Finding, type Fix, insertAbove, shortText } from "./rule.ts";
import type { View } from "./view.ts";

/**
 * What PyTorch saves for the backward pass (tools/autograd/derivatives.yaml of PyTorch 2.13): its
 * own result, …
 */
const SAVES_RESULT: ReadonlySet<UnaryOp> = new Set([
  "exp",
  "expm1",
  "relu",
  "sigmoid",
  "sqrt",
  "tanh",
]);
/** … or what it was given. */
const SAVES_ARGUMENT: ReadonlySet<UnaryOp> = new Set([
  "abs",
  "cos",
  "cosh",
  "log",
  "log1p",
  "logsigmoid",
  "sin",
  "sinh",
  "softplus",
]);

export function changedInPlace(view: View): Finding[] {
  const { subject, prediction } = view;
  const inLoss = new Set(view.order);
  const seen = new Set<string>();
  return subject.changes.flatMap((change): Finding[] => {
    const { span, before } = change;
    const key = `${span.file}:${span.line}`;
    if (seen.has(key)) return [];
    const text = shortText(subject.source, statementAt(view, span)) ?? "This statement";
    const needed = savedBy(view, change, inLoss);
    const finding = {
      span,
      related: [] as Finding["related"],
      fix: copiedFirst(view, change),
    };
    if (needed !== null) {
      seen.add(key);
      const by = view.subject.spans.get(needed);
      return [
        {
          ...finding,
          message: `${text} changes an array in place that autograd has saved for the backward pass: loss.backward() stops with "one of the variables needed for gradient computation has been modified by an inplace operation".`,
          remedy: "Make a new array, by x = x * y, torch.where or a clone(), before it is changed.",
          related: by === undefined ? [] : [{ span: by, message: "saves it for its gradient" }],
        },
      ];
    }
    if (prediction !== null && before === prediction.node && !change.isCopy) {
      seen.add(key);
      return [
        {
          ...finding,
          message: `${text} changes ${prediction.name}, the caller's own tensor: PyTorch refuses that for a leaf that requires grad, as gradcheck and tests pass it, and a sigmoid, softmax or tanh before the loss has saved its result.`,
          remedy: `Work on a copy: ${prediction.name} = ${prediction.name}.clone().`,
        },
      ];
    }
    return [];
  });
}

/** The operation of the loss whose gradient needs what the array held before; null if none does. */
function savedBy(view: View, change: Change, inLoss: ReadonlySet<Expr>): Expr | null {
  const { before, users, isCopy } = change;
  const followed = view.onPrediction;
  if (!isCopy && inLoss.has(before) && followed.has(before) && savesResult(before)) return before;
  const shared = new Set([before]);
  for (const user of users) {
    if (!user.args.some((a) => shared.has(a))) continue;
    if (SHARING.has(user.kind)) shared.add(user);
    else if (inLoss.has(user) && followed.has(user) && saves(user, shared, followed)) return user;
  }
  return null;
}
const SHARING: ReadonlySet<Expr["kind"]> = new Set([
  "reshape",
  "transpose",
  "expand",
  "index",
  "slice",
]);

function savesResult(e: Expr): boolean {
  return e.kind === "softmax" || (e.kind === "unary" && SAVES_RESULT.has(e.op));
}

/** Whether the operation keeps one of the arrays that share the memory, for its own gradient. */
function saves(user: Expr, shared: ReadonlySet<Expr>, followed: ReadonlySet<Expr>): boolean {
  const [a, b] = user.args;
  switch (user.kind) {
    case "unary":
      return SAVES_ARGUMENT.has(user.op);
    case "clamp":
      return shared.has(a!);
    case "binary":
      switch (user.op) {
        case "mul":
          return (shared.has(a!) && followed.has(b!)) || (shared.has(b!) && followed.has(a!));
        case "div":
          return shared.has(b!) || (shared.has(a!) && followed.has(b!));
        case "pow":
        case "max":
        case "min":
          return true;
        default:
          return false;
      }
    default:
      return false;
  }
}

/** The whole line, as far as it is this statement's. */
function statementAt(view: View, span: SourceSpan): SourceSpan {
  const line = { file: span.file, line: span.line, column: 1, endLine: span.line };
  const text = view.subject.source.textOf({ ...line, endColumn: 10_000 });
  return text === null ? span : { ...line, endColumn: text.length + 1 };
}

/** `x = x.clone()` in a line above, where the line changes what `x` itself names. */
function copiedFirst(view: View, change: Change): Fix | null {
  const { source, changes } = view.subject;
  const { span } = change;
  // A view's copy would leave what it is a view of as it was.
  const isView = changes.some(
    (c) => c !== change && c.span.line === span.line && c.span.file === span.file,
  );
  const text = source.textOf(statementAt(view, span));
  const [, indent, name] =
    /^(\s*)([A-Za-z_]\w*)(?=\[|\.\w+_\(|\s*[-+*/]=|\s*\*\*=)/.exec(text ?? "") ?? [];
  if (isView || indent === undefined || name === undefined) return null;
  return {
    title: `Copy ${name} first`,
    edits: [insertAbove(span, `${indent}${name} = ${name}.clone()`)],
  };
}
