/**
 * What `torch.autocast` does to functions: products run in the lower type, some functions in
 * float32, and everything else takes its operands as they come. Which run in float32 differs: on the
 * CPU (measured on PyTorch 2.13) losses and pools of volumes, on CUDA (measured on PyTorch 2.11, an
 * NVIDIA H200: test/golden/cuda_precision.json) sums, powers, norms, softmax, exp and log too.
 */
import type { Expr, SourceSpan } from "../../expression/node.ts";
import type { ElementType } from "../../expression/tape.ts";
import { isHalf } from "./held.ts";

export interface Autocast {
  readonly device: "cpu" | "cuda";
  readonly lower: Extract<ElementType, "float16" | "bfloat16">;
}

/** A function that PyTorch does not carry out below autocast, and what to write instead. */
export class RefusedByAutocast extends Error {
  readonly span: SourceSpan;
  readonly fix: string;

  constructor({ sentence, fix }: Refusal, span: SourceSpan) {
    super(sentence);
    this.span = span;
    this.fix = fix;
  }
}

interface Refusal {
  readonly sentence: string;
  readonly fix: string;
}

const LOWER = new Set([
  "matmul",
  "mm",
  "bmm",
  "einsum",
  "linear",
  "baddbmm",
  "addmm",
  "vecdot",
  "conv1d",
  "conv2d",
  "conv3d",
]);

const ON_BOTH = [
  "prod",
  "binary_cross_entropy_with_logits",
  "cross_entropy",
  "nll_loss",
  "mse_loss",
  "l1_loss",
  "smooth_l1_loss",
  "huber_loss",
  "kl_div",
  "soft_margin_loss",
  "poisson_nll_loss",
  "hinge_embedding_loss",
  "margin_ranking_loss",
  "triplet_margin_loss",
  "multi_margin_loss",
  "multilabel_margin_loss",
  "cosine_embedding_loss",
  "cdist",
  "trace",
];

const FLOAT32: Readonly<Record<Autocast["device"], ReadonlySet<string>>> = {
  cpu: new Set([
    ...ON_BOTH,
    "binary_cross_entropy",
    "avg_pool3d",
    "max_pool3d",
    "adaptive_avg_pool3d",
    "quantile",
    "reflection_pad",
    "replication_pad",
  ]),
  cuda: new Set([
    ...ON_BOTH,
    ...["sum", "cumsum", "cumprod", "softmax", "log_softmax", "softmin", "gumbel_softmax"],
    ...["logsumexp", "mvlgamma"],
    ...["exp", "expm1", "log", "log10", "log1p", "log2", "pow", "square", "reciprocal", "rsqrt"],
    ...["acos", "asin", "cosh", "erfinv", "sinh", "tan", "softplus"],
    ...["norm", "vector_norm", "dist", "normalize", "cosine_similarity", "pairwise_distance"],
    ...["layer_norm", "group_norm", "local_response_norm", "renorm", "lp_pool2d", "interpolate"],
    "gaussian_nll_loss",
    ...["multilabel_soft_margin_loss", "trapezoid", "trapz", "cumulative_trapezoid"],
  ]),
};

/** Functions that are products of matrices, for which libraries of their own are called. */
export function isProduct(call: string | null): boolean {
  if (call === "@") return true;
  const name = nameOf(call);
  return LOWER.has(name) || name === "dot" || name === "tensordot";
}

/**
 * The type to which an operation's float operands are converted; `null`: they stay.
 * @param parts of its expression; the last is the whole
 */
export function autocastType(
  call: string | null,
  parts: readonly Expr[],
  { device, lower }: Autocast,
): ElementType | null {
  const name = nameOf(call);
  // einsum of a single operand is a sum, which only CUDA takes for a product.
  const isSum = name === "einsum" && !parts.some((e) => e.kind === "binary");
  if (isSum && device === "cpu") return null;
  if (call === "@" || LOWER.has(name)) return lower;
  if (device === "cuda") {
    if (call === null) return isPower(parts.at(-1)!) ? "float32" : null;
    const isTold = parts.some((e) => e.kind === "cast" && e.to !== "int" && isHalf(e.to));
    if (isTold && TAKES_TYPE.has(name)) return null;
  }
  return FLOAT32[device].has(name) ? "float32" : null;
}

/** Functions that stay in the type that they are told, as in sum(dtype=torch.float16). */
const TAKES_TYPE = new Set([
  "sum",
  "prod",
  "cumsum",
  "cumprod",
  "softmax",
  "log_softmax",
  "softmin",
]);

/** @throws RefusedByAutocast where PyTorch does not carry out a function below that autocast */
export function refuseBelow(call: string | null, { device }: Autocast, span: SourceSpan): void {
  if (device !== "cuda" || nameOf(call) !== "binary_cross_entropy") return;
  const unsafe = {
    sentence: "PyTorch refuses binary_cross_entropy (BCELoss) below CUDA's autocast",
    fix:
      "Give the logits to binary_cross_entropy_with_logits (BCEWithLogitsLoss), or compute this loss " +
      'in float32 without autocast: with torch.autocast("cuda", enabled=False).',
  };
  throw new RefusedByAutocast(unsafe, span);
}

/** The operators `x ** y` and, being x.reciprocal() * 1, `1 / x`. */
function isPower(e: Expr): boolean {
  if (e.kind !== "binary") return false;
  const left = e.args[0]!.kind;
  return e.op === "pow" || (e.op === "div" && (left === "const" || left === "parameter"));
}

/** `torch.nn.functional.mse_loss` → `mse_loss`. */
export function nameOf(call: string | null): string {
  return call === null ? "" : call.slice(call.lastIndexOf(".") + 1);
}
