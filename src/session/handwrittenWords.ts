/** What is said of a gradient written by hand: whether it runs, and what is the matter with it. */
import type { InputJudgement } from "../explain/handwritten/judge.ts";
import type { CallSite, HandwrittenUse } from "../python/handwritten/record.ts";

/** A class that is traced by itself is used as its file uses it. */
export function reasonInForce(
  use: HandwrittenUse,
  sites: readonly CallSite[],
): { readonly inForce: boolean } {
  const isRunning = use.stands.length > 0 || use.how === "by hand";
  const own = sitesFor(use, sites);
  if (own.length === 0) return { inForce: isRunning };
  return { inForce: own.some((s) => s.how !== "forward called directly") };
}

/** The file's own uses, where the trace does not come from one of them. */
function sitesFor(use: HandwrittenUse, sites: readonly CallSite[]): readonly CallSite[] {
  return use.place.file === use.definition.file ? [] : sites;
}

export function useSentence(
  use: HandwrittenUse,
  sites: readonly CallSite[],
  inForce: boolean,
): string {
  const own = sitesFor(use, sites);
  if (use.how === "by hand") {
    return `${use.gradientName} is the gradient wherever your code calls it`;
  }
  if (use.how === "never called") {
    return `${use.gradientName} never runs by itself: PyTorch calls no backward() of a Module, and autograd differentiates forward(), which is right`;
  }
  if (own.length > 0) return ofFile(use, own);
  if (!inForce) {
    return `${use.gradientName} never runs: line ${use.place.line} calls .forward() directly, so that autograd differentiates the forward pass itself, which is right`;
  }
  if (use.how === "instance called") {
    return `${use.gradientName} is in force where line ${use.place.line} may call an instance (PyTorch up to 1.2; later versions refuse it: use .apply)`;
  }
  const isHere = use.place.file === use.definition.file;
  if (use.kind === "autograd.Function") {
    return isHere
      ? `${use.gradientName} is in force: line ${use.place.line} calls .apply()`
      : `${use.gradientName} is in force where the class is used by .apply(); its own file does not use it`;
  }
  return `${use.gradientName} is in force wherever ${use.name} is called`;
}

function ofFile(use: HandwrittenUse, sites: readonly CallSite[]): string {
  const lines = (how: CallSite["how"]): string => {
    const all = sites.filter((s) => s.how === how).map((s) => s.line);
    return `line${all.length === 1 ? "" : "s"} ${all.join(", ")}`;
  };
  const has = (how: CallSite["how"]): boolean => sites.some((s) => s.how === how);
  const direct = "forward called directly";
  if (!sites.some((s) => s.how !== direct)) {
    return `${use.gradientName} never runs: ${lines(direct)} call${sites.length === 1 ? "s" : ""} .forward() directly, so that autograd differentiates the forward pass itself, which is right`;
  }
  const running = has("called")
    ? `${lines("called")} use${sites.filter((s) => s.how === "called").length === 1 ? "s" : ""} .apply`
    : `${lines("instance called")} may call an instance (PyTorch up to 1.2; later versions refuse it)`;
  const except = has(direct)
    ? `; not so at ${lines(direct)}, where .forward() is called directly`
    : "";
  return `${use.gradientName} is in force: ${running}${except}`;
}

const REFUSED: Readonly<Record<string, string>> = {
  torch: "PyTorch raises an error in the backward pass",
  jax: "JAX raises an error when it is differentiated",
  tensorflow: "TensorFlow raises an error, or takes it for another gradient",
  numpy: "it is no gradient of that input",
};

export function sentenceFor(use: HandwrittenUse, j: InputJudgement | null): string {
  const { gradientName } = use;
  if (use.failure !== null) {
    const { headline, line } = use.failure;
    return `${gradientName} could not be traced, so that it is not compared: ${headline} (line ${line})`;
  }
  if (use.refusal !== null) return `${use.refusal.message}: ${REFUSED[use.library]}`;
  if (j === null) return "";
  const { input, findings } = j;
  switch (j.verdict) {
    case "right":
      return `${gradientName} is the gradient of its forward pass by ${input.name}`;
    case "undecided":
      return `whether ${gradientName} is the gradient of its forward pass by ${input.name} cannot be decided`;
    case "surrogate":
      return `${gradientName} stands in for a gradient by ${input.name} that the forward pass does not have`;
    case "wrong": {
      const n = findings.length;
      const isKnown = !findings.some((f) => f.id === "unknown");
      const why = isKnown
        ? n === 1
          ? findings[0]!.sentence
          : `${n} mistakes`
        : "no single known mistake explains how";
      return `${gradientName} is not the gradient of its forward pass by ${input.name}: ${why}`;
    }
  }
}
