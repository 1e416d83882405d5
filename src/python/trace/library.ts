/** Whose arrays a function works on, judged by the names it uses. */
import type { Library } from "../dtypes.ts";
import type { FunctionValue, InstanceValue, Value } from "../values.ts";
import { walkSyntax } from "../syntaxWalk.ts";
import type { TraceTarget } from "./target.ts";

/** Methods and keywords that only one library's arrays have. */
const TORCH_ONLY =
  /^(view|permute|unsqueeze|clamp|clamp_|detach|float|long|double|numel|size|contiguous|expand|expand_as|item_|cuda|cpu|scatter_|unbind|masked_fill)$/;
const NUMPY_ONLY = /^(astype|ravel|ndim_)$/;

/** Keras's and TensorFlow's classes from which people derive their losses. */
const KERAS_BASES = new Set(["Loss", "Layer", "tf.Module"]);

export function libraryUsed(target: TraceTarget): Library {
  const { self } = target;
  const own = self?.kind === "instance" ? libraryOfValue(self) : null;
  if (own !== null) return own;
  const votes = new Map<Library, number>();
  count(target.fn, votes, new Set());
  // A backend that was handed to the class.
  for (const v of self?.kind === "instance" ? held(self) : []) {
    const library = v.kind === "module" ? libraryOfValue(v) : null;
    if (library !== null) votes.set(library, (votes.get(library) ?? 0) + 10);
  }
  // A function of methods alone says nothing; what its file imports does.
  for (const v of target.fn.scope.module.variables.values()) {
    const library = v.kind === "module" ? libraryOfValue(v) : null;
    if (library !== null) votes.set(library, (votes.get(library) ?? 0) + 0.1);
  }
  const ranked = [...votes].sort((a, b) => b[1] - a[1]);
  return ranked[0]?.[0] ?? "numpy";
}

/** Values of an object's attributes, those of its classes among them. */
function held({ attributes, cls }: InstanceValue): Value[] {
  const own = cls.mro.flatMap((c) => (c.kind === "class" ? [...c.attributes.values()] : []));
  return [...attributes.values(), ...own];
}

function libraryOfObject({ cls }: InstanceValue): Library | null {
  for (const c of cls.mro) {
    if (c.kind === "class" && (c.name === "Module" || c.name === "_Loss")) return "torch";
    if (c.kind === "class" && c.file === null && KERAS_BASES.has(c.name)) return "tensorflow";
  }
  return null;
}

function count(fn: FunctionValue, votes: Map<Library, number>, seen: Set<FunctionValue>): void {
  if (seen.has(fn) || seen.size > 50) return;
  seen.add(fn);
  const vote = (library: Library, weight: number): void => {
    votes.set(library, (votes.get(library) ?? 0) + weight);
  };
  walkSyntax(fn.code.body, (node) => {
    if (node.kind === "Name") {
      const v = fn.scope.lookup(node.id);
      if (v === undefined || v === "unbound") return;
      const library = libraryOfValue(v);
      if (library !== null) vote(library, 10);
      else if (v.kind === "function") count(v, votes, seen);
    } else if (node.kind === "Attribute") {
      if (TORCH_ONLY.test(node.name)) vote("torch", 1);
      if (NUMPY_ONLY.test(node.name)) vote("numpy", 1);
    } else if (node.kind === "Call") {
      for (const a of node.args) {
        if (a.kind !== "keyword") continue;
        if (a.name === "dim" || a.name === "keepdim") vote("torch", 1);
        if (a.name === "axis" || a.name === "keepdims") vote("numpy", 1);
      }
    }
  });
}

/** Whose function, class or object a value is; null for what is no library's. */
export function libraryOfValue(v: Value): Library | null {
  if (v.kind === "instance") return libraryOfObject(v);
  const name =
    v.kind === "module" || v.kind === "builtin" || v.kind === "opaque"
      ? v.name
      : v.kind === "class" && v.file === null
        ? v.name
        : "";
  if (/^torch(\.|$)/.test(name) || name === "Tensor") return "torch";
  if (/^(numpy|ndarray)(\.|$)/.test(name)) return "numpy";
  if (/^(tensorflow|keras)(\.|$)/.test(name)) return "tensorflow";
  if (/^(jax|optax|chex)(\.|$)/.test(name) || name === "Array") return "jax";
  if (/^autograd(\.|$)/.test(name)) return "autograd";
  return null;
}
