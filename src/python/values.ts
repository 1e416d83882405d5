/** What a Python expression can be worth during symbolic execution. */
import type { Axis } from "../expression/axis.ts";
import type { Expr, ScalarType, SourceSpan } from "../expression/node.ts";
import { type DType, type Library, followsNumpy } from "./dtypes.ts";
import type { PythonError } from "./errors.ts";
import type { Unreadable } from "./host.ts";
import type { ClassDef, Code, FunctionDef, Source } from "./syntax.ts";
import type { Scope } from "./interpreter/scope.ts";
import type { Interpreter } from "./interpreter/interpreter.ts";

export interface NoneValue {
  readonly kind: "none";
}
export interface EllipsisValue {
  readonly kind: "ellipsis";
}
export interface StringValue {
  readonly kind: "str";
  readonly value: string;
}

/**
 * A Python number. `value` steers control flow and shapes; `symbol`, where present, is what formulas
 * show for it (ε rather than 1e-7). At least one of the two is there.
 */
export interface NumberValue {
  readonly kind: "number";
  readonly type: ScalarType;
  readonly value: number | null;
  readonly symbol: Expr | null;
  /** For the size of an axis, or a product of sizes: which axes, in order. */
  readonly axes: readonly Axis[] | null;
}

/** An array of any library. */
export interface TensorValue {
  readonly kind: "tensor";
  /** Its present value: in-place operations change it, also through views. */
  readonly expr: Expr;
  readonly library: Library;
  /** `null`: a float whose precision is not known. */
  readonly dtype: DType | null;
  /** An identity matrix: indexing it picks one-hot rows. */
  readonly identity: boolean;
  /** Entries lie in memory in row-major order, so that a reshape shares them. */
  readonly contiguous: boolean;
  /** Changes the entries in place; the shape must stay. */
  readonly assign: (vm: Interpreter, expr: Expr) => void;
  /** For `x[mask]`, whose size depends on values: asking for its `expr` is an error. */
  readonly selection: Selection | null;
}

/** What `x[mask]` is made of. */
export interface Selection {
  /** Which entries are there. Its axes are those of `all` from position `at` on. */
  readonly mask: Expr;
  readonly at: number;
  /** The array from which they are picked, those that are not included. */
  readonly all: TensorValue;
  /** The order of the entries; null: as they lie in `all`. */
  readonly order: Order | null;
}

/** An order that is known, as sorting leaves it. Equal ones are one object. */
export interface Order {
  /** Row-major positions in the mask's axes: those of each row in their order, one row after another. */
  readonly positions: Int32Array;
  /** How many a row has. */
  readonly count: number;
  /** The axis of the mask along which the rows are, where its other axes stay; null: one axis for all. */
  readonly along: number | null;
}

export interface TupleValue {
  readonly kind: "tuple";
  readonly items: readonly Value[];
  /** Names of the items, for named tuples such as what `torch.max(x, dim)` returns. */
  readonly names?: readonly string[];
  readonly typeName?: string;
  /** Of a named tuple: its class, which may have methods. */
  readonly cls?: ClassValue;
}
export interface ListValue {
  readonly kind: "list";
  items: Value[];
  readonly born: number;
}
export interface DictValue {
  readonly kind: "dict";
  entries: Map<string, { readonly key: Value; readonly value: Value }>;
  /** Of a defaultdict: what gives a missing key its value. */
  readonly factory?: Value;
  readonly born: number;
}
export interface SetValue {
  readonly kind: "set";
  entries: Map<string, Value>;
  readonly born: number;
}
export interface SliceValue {
  readonly kind: "slice";
  readonly start: Value;
  readonly stop: Value;
  readonly step: Value;
}
export interface RangeValue {
  readonly kind: "range";
  readonly start: number;
  readonly stop: number;
  readonly step: number;
}
/** Where an iterator's items come from, one at a time. */
export interface IteratorSource {
  /** The next item; `undefined` at the end. */
  readonly next: (vm: Interpreter) => Value | undefined;
  /** Of a generator: raises the error where it stands, and goes on to its next item. */
  readonly throw?: (vm: Interpreter, error: PythonError) => Value | undefined;
  /** Of a generator that has ended: what it returned. */
  readonly returned?: () => Value;
}
/** Generators, generator expressions, zip, map, …: items are computed when they are asked for. */
export interface IteratorValue {
  readonly kind: "iterator";
  /** Items computed so far, kept so that handing them out can be undone. */
  readonly items: Value[];
  /** How many of them have been handed out. */
  at: number;
  readonly source: IteratorSource | null;
  readonly born: number;
}

export interface FunctionValue {
  readonly kind: "function";
  readonly code: Code;
  readonly scope: Scope;
  readonly defaults: ReadonlyMap<string, Value>;
  readonly definition: FunctionDef | null;
  /** The class whose body defined it: where super() starts. Set once, when the class is made. */
  owner: ClassValue | null;
  readonly attributes: Map<string, Value>;
  readonly born: number;
}

export interface CallArguments {
  readonly positional: readonly Value[];
  readonly keywords: ReadonlyMap<string, Value>;
}

/** A parameter of a library's function. */
export interface LibraryParameter {
  readonly name: string;
  readonly keywordOnly: boolean;
  /** `undefined`: must be given. */
  readonly default: Value | undefined;
}

export interface BuiltinValue {
  readonly kind: "builtin";
  readonly name: string;
  readonly call: (vm: Interpreter, args: CallArguments) => Value;
  /** compare(…) and check(…): their arguments are taken as calls, not as results. */
  readonly request?: RequestValue["request"];
  /** Found in a class, it becomes a method, as Python's own functions do (C functions do not). */
  readonly binds?: true;
  /** The function that a decorator of a library has wrapped. */
  readonly wraps?: Value;
  /** Arguments of what it wraps that are given already, as partial does. */
  readonly given?: { readonly positional: number; readonly keywords: ReadonlySet<string> };
  /** What can be read off it: `chain.from_iterable`, `partial(…).func`, `f.defvjp`. */
  readonly attributes?: ReadonlyMap<string, Value>;
  /** As in its signature; absent where there is none. */
  readonly parameters?: () => readonly LibraryParameter[];
  /** What the __call__ of a library's class takes beside the arguments it passes on. */
  readonly extra?: readonly string[];
}

export interface MethodValue {
  readonly kind: "method";
  readonly self: Value;
  readonly callee: Value;
}

/** What a class of a library adds to those written in Python. */
export interface NativeClass {
  /** Makes the value; without it, calling the class makes an ordinary instance. */
  readonly construct?: (vm: Interpreter, args: CallArguments, cls: ClassValue) => Value;
  /** Whether isinstance(value, thisClass) holds for a value that is no ordinary instance. */
  readonly matches?: (value: Value) => boolean;
  /** Completes a class derived from it: an Enum turns its constants into members. */
  readonly finish?: (vm: Interpreter, cls: ClassValue) => Value;
  /** Read before all other attributes, off the class (`self` is null) or an instance of it. */
  readonly attribute?: (
    vm: Interpreter,
    cls: ClassValue,
    self: InstanceValue | null,
    name: string,
  ) => Value | undefined;
  /** What is traced when the class or an instance of it is named as a loss. */
  readonly traced?: (vm: Interpreter, cls: ClassValue, self: InstanceValue | null) => Value;
}

export interface ClassValue {
  readonly kind: "class";
  readonly name: string;
  readonly bases: readonly (ClassValue | OpaqueValue)[];
  /** The class itself, then its ancestors in the order of attribute lookup. */
  readonly mro: readonly (ClassValue | OpaqueValue)[];
  readonly attributes: Map<string, Value>;
  readonly native: NativeClass | null;
  readonly definition: ClassDef | null;
  readonly file: string | null;
  readonly born: number;
}

export interface InstanceValue {
  readonly kind: "instance";
  readonly cls: ClassValue;
  readonly attributes: Map<string, Value>;
  readonly born: number;
}

export interface ModuleValue {
  readonly kind: "module";
  readonly name: string;
  readonly file: string | null;
  /** `undefined`: there is no such attribute. */
  readonly get: (name: string) => Value | undefined;
  /** All public names, for `from module import *`. */
  readonly names: () => Iterable<string>;
  readonly scope: Scope | null;
}

export interface DTypeValue {
  readonly kind: "dtype";
  readonly dtype: DType;
  readonly library: Library;
}

export interface PropertyValue {
  readonly kind: "property";
  readonly getter: Value;
  readonly setter: Value | null;
  readonly deleter?: Value;
  /** `cached_property`: computed once, then an attribute of the instance. */
  readonly cached?: true;
}
export interface StaticMethodValue {
  readonly kind: "staticmethod";
  readonly callee: Value;
}
export interface ClassMethodValue {
  readonly kind: "classmethod";
  readonly callee: Value;
}
export interface SuperValue {
  readonly kind: "super";
  readonly after: ClassValue;
  readonly self: Value;
}

/**
 * Something that the tracer has no model of: an unknown module, or a name whose definition failed.
 * Naming it is harmless; using it is an error which says why.
 */
export interface OpaqueValue {
  readonly kind: "opaque";
  readonly name: string;
  readonly reason: PythonError | Unreadable | string;
}

/** `with torch.no_grad():` and its like. */
export interface ContextValue {
  readonly kind: "context";
  readonly name: string;
  /** What it does while the block runs. */
  readonly effect: "none" | "stop-gradient" | "allow-gradient";
  /** One that gives a value, or handles errors of the block. */
  readonly manager?: {
    readonly enter: (vm: Interpreter) => Value;
    /** @returns whether the error is swallowed */
    readonly leave: (vm: Interpreter, error: PythonError | null) => boolean;
  };
}

/** A call in a notebook cell that the session is to inspect. */
export interface CallRequest {
  readonly callable: Value;
  /** As written, e.g. `dice_loss`. */
  readonly name: string;
  /** The whole call as written; null where the function was given without arguments. */
  readonly text: string | null;
  readonly source: Source | null;
  readonly span: SourceSpan;
  readonly positional: readonly Value[];
  readonly keywords: ReadonlyMap<string, Value>;
  /** What carrying it out has changed: arrays in place, counts of steps. It is traced without that. */
  readonly changes: readonly Change[];
}

/** Takes the state of what is about to change. @returns what puts that state back */
export type StateOf = () => () => void;

/** A change that can be taken back, and made again. */
export interface Change {
  readonly stateOf: StateOf;
  /** Puts the state before it back. */
  readonly restore: () => void;
}

/** What a cell can ask of the session by name. */
export type RequestName = "compare" | "check" | "explain" | "precision" | "shapes";

/** The value of compare(…), check(…), explain(…), precision(…) and shapes(…). */
export interface RequestValue {
  readonly kind: "request";
  readonly request: RequestName;
  readonly calls: readonly CallRequest[];
  /** Losses that compare(…) was given as text: calls of the catalogue. */
  readonly standards: readonly string[];
  readonly options: ReadonlyMap<string, Value>;
}

export type Value =
  | NoneValue
  | EllipsisValue
  | StringValue
  | NumberValue
  | TensorValue
  | TupleValue
  | ListValue
  | DictValue
  | SetValue
  | SliceValue
  | RangeValue
  | IteratorValue
  | FunctionValue
  | BuiltinValue
  | MethodValue
  | ClassValue
  | InstanceValue
  | ModuleValue
  | DTypeValue
  | PropertyValue
  | StaticMethodValue
  | ClassMethodValue
  | SuperValue
  | OpaqueValue
  | ContextValue
  | RequestValue;

export const NONE: NoneValue = { kind: "none" };
export const ELLIPSIS: EllipsisValue = { kind: "ellipsis" };
export const TRUE: NumberValue = plain("bool", 1);
export const FALSE: NumberValue = plain("bool", 0);

function plain(type: ScalarType, value: number): NumberValue {
  return { kind: "number", type, value, symbol: null, axes: null };
}

export const int = (value: number): NumberValue => plain("int", value);
export const float = (value: number): NumberValue => plain("float", value);
export const bool = (value: boolean): NumberValue => (value ? TRUE : FALSE);
export const str = (value: string): StringValue => ({ kind: "str", value });
export const tuple = (items: readonly Value[]): TupleValue => ({ kind: "tuple", items });
export const namedTuple = (
  typeName: string,
  items: Readonly<Record<string, Value>>,
): TupleValue => ({
  kind: "tuple",
  items: Object.values(items),
  names: Object.keys(items),
  typeName,
});

/** A number known only as an expression, e.g. what `.item()` gives. */
export function symbolic(type: ScalarType, symbol: Expr, value: number | null = null): NumberValue {
  return { kind: "number", type, value, symbol, axes: null };
}

/** Python's name of a value's type, as in its error messages. */
export function typeName(v: Value): string {
  switch (v.kind) {
    case "none":
      return "NoneType";
    case "number":
    case "function":
      return v.kind === "number" ? v.type : "function";
    case "tensor":
      return followsNumpy(v.library) ? "numpy.ndarray" : v.library === "jax" ? "Array" : "Tensor";
    case "tuple":
      return v.typeName ?? "tuple";
    case "iterator":
      return "iterator";
    case "builtin":
      return "builtin_function_or_method";
    case "class":
      return "type";
    case "instance":
      return v.cls.name;
    case "context":
    case "request":
      return v.kind === "context" ? v.name : v.request;
    case "opaque":
      return v.name;
    default:
      return v.kind;
  }
}
