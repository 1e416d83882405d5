/** NumPy's kinds of dtypes, what is asked of them, and what only prints or checks. */
import { type DType, defaultDType, promote, scalarType } from "../dtypes.ts";
import { makeClass } from "../interpreter/classes.ts";
import { display } from "../interpreter/format.ts";
import { type BuiltinValue, type ClassValue, NONE, type Value, bool, str } from "../values.ts";
import { readDType } from "./dtypeNames.ts";
import type { CallContext, Meaning, Table } from "./signature.ts";

/** Which dtypes belong to a kind, from the most special one on. */
const KINDS: Readonly<Record<string, (dtype: DType) => boolean>> = {
  floating: (d) => scalarType(d) === "float",
  inexact: (d) => scalarType(d) === "float",
  integer: (d) => scalarType(d) === "int",
  signedinteger: (d) => scalarType(d) === "int" && !d.startsWith("u"),
  unsignedinteger: (d) => scalarType(d) === "int" && d.startsWith("u"),
  number: (d) => scalarType(d) !== "bool",
  generic: () => true,
  complexfloating: () => false,
};

const made = new Map<string, ClassValue>();

/** np.floating and its like, of which NumPy's scalars are: here arrays without axes. */
export function kindNamed(name: string): ClassValue | undefined {
  const holds = KINDS[name];
  if (holds === undefined) return undefined;
  const known = made.get(name);
  if (known !== undefined) return known;
  const matches = (v: Value): boolean =>
    v.kind === "tensor" &&
    v.expr.shape.length === 0 &&
    holds(v.dtype ?? defaultDType(v.expr.type, v.library));
  const cls = makeClass({ name, bases: [], attributes: new Map(), native: { matches } })!;
  made.set(name, cls);
  return cls;
}

/** Whether a dtype is of a kind, or is another dtype. */
const isOfKind: Meaning = (c) => {
  const dtype = typeOfValue(c, c.value("arg1"));
  const kind = c.value("arg2");
  const holds = kind.kind === "class" ? KINDS[kind.name] : undefined;
  return bool(holds === undefined ? dtype === readDType(c.vm, kind) : holds(dtype));
};

function typeOfValue(c: CallContext, v: Value): DType {
  if (v.kind === "number") return defaultDType(v.type, c.library);
  if (v.kind === "tensor") return v.dtype ?? defaultDType(v.expr.type, v.library);
  return readDType(c.vm, v);
}

/** The dtype of an operation on arrays, numbers and dtypes. */
function resultType(c: CallContext, values: readonly Value[]): Value {
  const operands = values.map((v) => {
    const dtype = typeOfValue(c, v);
    const rank = v.kind === "tensor" ? v.expr.shape.length : 1;
    return { dtype, type: scalarType(dtype), rank, weak: v.kind === "number" };
  });
  const dtype = promote(operands, c.library) ?? operands[0]?.dtype;
  if (dtype === undefined) {
    return c.vm.fail("ValueError", "at least one array or dtype is required");
  }
  return { kind: "dtype", dtype, library: c.library };
}

const shown: Meaning = (c) => str(display(c.vm, c.value("a"), false));

/** Source: NumPy 2.4. */
export const numpyTypes: Table = {
  issubdtype: ["arg1, arg2", isOfKind],
  result_type: ["*operands", (c) => resultType(c, c.list("operands"))],
  promote_types: ["type1, type2", (c) => resultType(c, [c.value("type1"), c.value("type2")])],
  isrealobj: ["x", () => bool(true)],
  iscomplexobj: ["x", () => bool(false)],
  array_str: ["a, **", shown],
  array2string: ["a, **", shown],
  array_repr: ["a, **", (c) => str(display(c.vm, c.value("a"), true))],
};

/** numpy.testing's checks raise errors or do nothing; on a loss's way they are taken to do nothing. */
export const numpyChecks: Table = Object.fromEntries(
  [
    "assert_allclose",
    "assert_almost_equal",
    "assert_array_almost_equal",
    "assert_array_equal",
    "assert_equal",
  ].map((name) => [name, ["actual, desired, **", () => NONE] as const]),
);

/** A setting for a while about what is printed or warned of: `with np.errstate(…):`. */
export const setting = (name: string): BuiltinValue => ({
  kind: "builtin",
  name,
  call: () => ({ kind: "context", name: `np.${name}()`, effect: "none" }),
});
