/**
 * What `torch.autocast("cpu")` does to functions, measured on PyTorch 2.13: the products below run
 * in the lower type, the losses and pools of volumes in float32; everything else takes its operands
 * as they come. Unlike on a GPU, sums, softmax, exp and log are not among those that run in float32.
 */
import type { ElementType } from "../../expression/tape.ts";

export type AutocastType = Extract<ElementType, "float16" | "bfloat16">;

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

const FLOAT32 = new Set([
  "prod",
  "binary_cross_entropy",
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
  "cosine_embedding_loss",
  "avg_pool3d",
  "max_pool3d",
  "adaptive_avg_pool3d",
  "cdist",
  "quantile",
  "trace",
]);

/** Functions that are products of matrices, for which libraries of their own are called. */
export function isProduct(call: string | null): boolean {
  if (call === "@") return true;
  const name = nameOf(call);
  return LOWER.has(name) || name === "dot" || name === "tensordot";
}

/** The type to which a function's float operands are converted; `null`: they stay. */
export function autocastType(call: string | null, lower: AutocastType): ElementType | null {
  const name = nameOf(call);
  if (call === "@" || LOWER.has(name)) return lower;
  return FLOAT32.has(name) ? "float32" : null;
}

/** `torch.nn.functional.mse_loss` → `mse_loss`. */
export function nameOf(call: string | null): string {
  return call === null ? "" : call.slice(call.lastIndexOf(".") + 1);
}
