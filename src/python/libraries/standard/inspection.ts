/** inspect: signatures of functions, which decorators of deprecated arguments go by. */
import { lookup } from "../../interpreter/attributes.ts";
import { bindArguments } from "../../interpreter/calls.ts";
import { makeClass } from "../../interpreter/classes.ts";
import { makeDict, makeList } from "../../interpreter/collections.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import type { Parameter } from "../../syntax.ts";
import {
  type CallArguments,
  type ClassValue,
  type FunctionValue,
  type InstanceValue,
  NONE,
  type Value,
  bool,
  int,
  str,
} from "../../values.ts";
import type { CallContext } from "../signature.ts";
import { type Contents, fn, functions } from "./define.ts";
import { moduleOf } from "./system.ts";

const KINDS: Readonly<Record<Parameter["kind"], number>> = {
  positionalOnly: 0,
  positional: 1,
  args: 2,
  keywordOnly: 3,
  kwargs: 4,
};

/** What stands for a default that is not there. */
const EMPTY: ClassValue = makeClass({ name: "_empty", bases: [], attributes: new Map() })!;

const PARAMETER: ClassValue = makeClass({
  name: "Parameter",
  bases: [],
  attributes: new Map<string, Value>([
    ["empty", EMPTY],
    ["POSITIONAL_ONLY", int(KINDS.positionalOnly)],
    ["POSITIONAL_OR_KEYWORD", int(KINDS.positional)],
    ["VAR_POSITIONAL", int(KINDS.args)],
    ["KEYWORD_ONLY", int(KINDS.keywordOnly)],
    ["VAR_KEYWORD", int(KINDS.kwargs)],
  ]),
})!;

const SIGNATURE: ClassValue = makeClass({ name: "Signature", bases: [], attributes: new Map() })!;
const BOUND: ClassValue = makeClass({ name: "BoundArguments", bases: [], attributes: new Map() })!;

function instance(
  vm: Interpreter,
  cls: ClassValue,
  attributes: Readonly<Record<string, Value>>,
): InstanceValue {
  return { kind: "instance", cls, attributes: new Map(Object.entries(attributes)), born: vm.epoch };
}

/** The function whose signature is that of `v`, and how many arguments are already given. */
function functionBehind(v: Value): { readonly f: FunctionValue; readonly given: number } | null {
  switch (v.kind) {
    case "function": {
      const wrapped = v.attributes.get("__wrapped__");
      return wrapped === undefined ? { f: v, given: 0 } : functionBehind(wrapped);
    }
    case "method": {
      const inner = functionBehind(v.callee);
      return inner === null ? null : { f: inner.f, given: inner.given + 1 };
    }
    case "builtin":
      return v.wraps === undefined ? null : functionBehind(v.wraps);
    case "staticmethod":
      return functionBehind(v.callee);
    case "class": {
      const init = lookup(v.mro, "__init__");
      const inner = init === undefined ? null : functionBehind(init);
      return inner === null ? null : { f: inner.f, given: 1 };
    }
    case "instance": {
      const own = lookup(v.cls.mro, "__call__") ?? lookup(v.cls.mro, "forward");
      const inner = own === undefined ? null : functionBehind(own);
      return inner === null ? null : { f: inner.f, given: 1 };
    }
    default:
      return null;
  }
}

function signature(c: CallContext): Value {
  const { vm } = c;
  const behind = functionBehind(c.value("obj"));
  if (behind === null) return vm.unsupported("the signature of this is not known");
  const { f } = behind;
  const parameters = f.code.parameters.slice(behind.given);
  const described = parameters.map(
    (p) =>
      [
        str(p.name),
        instance(vm, PARAMETER, {
          name: str(p.name),
          kind: int(KINDS[p.kind]),
          default: f.defaults.get(p.name) ?? EMPTY,
          annotation: p.annotation === null ? EMPTY : str(p.annotation),
        }),
      ] as const,
  );
  const bind = (inner: Interpreter, args: CallArguments): Value => {
    const skipped = Array.from({ length: behind.given }, () => NONE);
    const all = { positional: [...skipped, ...args.positional], keywords: args.keywords };
    const bound = bindArguments(inner, f, all);
    const given = parameters.filter((p, k) => isGiven(p, k, args, bound.get(p.name)));
    const pairs = given.map((p) => [str(p.name), bound.get(p.name)!] as const);
    return instance(inner, BOUND, { arguments: makeDict(inner, pairs) });
  };
  return instance(vm, SIGNATURE, {
    parameters: makeDict(vm, described),
    bind: { kind: "builtin", name: "bind", call: bind },
  });
}

function isGiven(p: Parameter, k: number, args: CallArguments, v: Value | undefined): boolean {
  if (p.kind === "args") return v?.kind === "tuple" && v.items.length > 0;
  if (p.kind === "kwargs") return v?.kind === "dict" && v.entries.size > 0;
  return args.keywords.has(p.name) || (p.kind !== "keywordOnly" && k < args.positional.length);
}

/** getfullargspec(f).args, .varargs, .varkw, .defaults are what older code asks for. */
function fullArgumentSpec(c: CallContext): Value {
  const { vm } = c;
  const behind = functionBehind(c.value("func"));
  if (behind === null) return vm.unsupported("the signature of this is not known");
  const { parameters } = behind.f.code;
  const named = (...kinds: Parameter["kind"][]): Value[] =>
    parameters.filter((p) => kinds.includes(p.kind)).map((p) => str(p.name));
  return instance(vm, SIGNATURE, {
    args: makeList(vm, named("positionalOnly", "positional")),
    varargs: named("args")[0] ?? NONE,
    varkw: named("kwargs")[0] ?? NONE,
    kwonlyargs: makeList(vm, named("keywordOnly")),
  });
}

export const inspection: Contents = {
  Parameter: PARAMETER,
  Signature: SIGNATURE,
  signature: fn("signature", "obj, **", signature),
  ...functions({
    getfullargspec: ["func", fullArgumentSpec],
    getmodule: ["object", (c) => moduleOf(c.value("object"))],
    isclass: ["object", (c) => bool(c.value("object").kind === "class")],
    isfunction: ["object", (c) => bool(c.value("object").kind === "function")],
    ismethod: ["object", (c) => bool(c.value("object").kind === "method")],
    ismodule: ["object", (c) => bool(c.value("object").kind === "module")],
    isbuiltin: ["object", (c) => bool(c.value("object").kind === "builtin")],
  }),
};
