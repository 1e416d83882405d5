/** enum */
import { findAttribute } from "../../interpreter/attributes.ts";
import { makeClass } from "../../interpreter/classes.ts";
import { makeDict } from "../../interpreter/collections.ts";
import { display } from "../../interpreter/format.ts";
import type { Interpreter } from "../../interpreter/interpreter.ts";
import { binaryOperation, compareOperation, equals } from "../../interpreter/operators.ts";
import { truth } from "../../interpreter/truth.ts";
import type { BinaryOperator, ComparisonOperator } from "../../syntax.ts";
import {
  type BuiltinValue,
  type ClassValue,
  type InstanceValue,
  NONE,
  type Value,
  int,
  str,
} from "../../values.ts";
import type { CallContext } from "../signature.ts";
import { type Contents, method, unchanged } from "./define.ts";

const AUTO: ClassValue = makeClass({ name: "auto", bases: [], attributes: new Map() })!;

const MIXED = new Set(["str", "int", "float", "IntEnum", "StrEnum"]);

/** Turns the constants of an Enum's body into members. */
function finishEnum(vm: Interpreter, cls: ClassValue): Value {
  const members: [Value, Value][] = [];
  const strings = cls.mro.some((c) => c.name === "StrEnum");
  let last = 0;
  for (const [name, v] of [...cls.attributes]) {
    const isConstant =
      v.kind === "number" || v.kind === "str" || v.kind === "tuple" || v.kind === "list";
    const isAuto = v.kind === "instance" && v.cls === AUTO;
    if ((!isConstant && !isAuto) || name.startsWith("_")) continue;
    const value = !isAuto ? v : strings ? str(name.toLowerCase()) : int(last + 1);
    if (value.kind === "number") last = value.value ?? last;
    const member: InstanceValue = {
      kind: "instance",
      cls,
      attributes: new Map<string, Value>([
        ["name", str(name)],
        ["value", value],
        ["_name_", str(name)],
        ["_value_", value],
      ]),
      born: vm.epoch,
    };
    cls.attributes.set(name, member);
    members.push([str(name), member]);
  }
  cls.attributes.set("__members__", makeDict(vm, members));
  if (cls.mro.some((c) => MIXED.has(c.name))) {
    for (const [name, v] of VALUE_METHODS) {
      // What the class itself says comes first.
      if (!cls.mro.some((c) => c.kind === "class" && c.attributes.has(name))) {
        cls.attributes.set(name, v);
      }
    }
  }
  return cls;
}

/** `Mode("soft")`: the member of that value. */
function memberOf(vm: Interpreter, value: Value, cls: ClassValue): Value {
  if (value.kind === "instance" && value.cls === cls) return value;
  const members = cls.attributes.get("__members__");
  for (const e of members?.kind === "dict" ? members.entries.values() : []) {
    const own = e.value.kind === "instance" ? e.value.attributes.get("value") : undefined;
    if (own !== undefined && truth(vm, equals(vm, own, value))) return e.value;
  }
  return vm.fail("ValueError", `${display(vm, value, true)} is not a valid ${cls.name}`);
}

const own = (v: Value): Value => (v.kind === "instance" ? (v.attributes.get("value") ?? v) : v);

/** Members that are numbers or strings as well behave as those. */
const VALUE_METHODS = new Map<string, BuiltinValue>([
  ...compared({ eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" }),
  ...calculated({
    add: "+",
    sub: "-",
    mul: "*",
    truediv: "/",
    floordiv: "//",
    mod: "%",
    pow: "**",
  }),
  method("__getattr__", "self, name", (c) => {
    const name = c.text("name");
    const found = findAttribute(c.vm, own(c.value("self")), name);
    return (
      found ?? c.vm.fail("AttributeError", `'${c.value("self").kind}' has no attribute '${name}'`)
    );
  }),
]);

function compared(ops: Record<string, ComparisonOperator>): [string, BuiltinValue][] {
  return Object.entries(ops).map(([name, op]) =>
    method(`__${name}__`, "self, other", (c) =>
      compareOperation(c.vm, op, own(c.value("self")), own(c.value("other"))),
    ),
  );
}

function calculated(ops: Record<string, BinaryOperator>): [string, BuiltinValue][] {
  const operands = (c: CallContext): [Value, Value] => [
    own(c.value("self")),
    own(c.value("other")),
  ];
  return Object.entries(ops).flatMap(([name, op]) => [
    method(`__${name}__`, "self, other", (c) => binaryOperation(c.vm, op, ...operands(c))),
    method(`__r${name}__`, "self, other", (c) => {
      const [self, other] = operands(c);
      return binaryOperation(c.vm, op, other, self);
    }),
  ]);
}

function enumClass(name: string, bases: readonly ClassValue[], asValue: boolean): ClassValue {
  const shown = (c: CallContext, quoted: boolean): Value => {
    const self = c.value("self");
    const member = `${self.kind === "instance" ? self.cls.name : ""}.${display(c.vm, findAttribute(c.vm, self, "name") ?? NONE)}`;
    return str(quoted ? `<${member}: ${display(c.vm, own(self), true)}>` : member);
  };
  const attributes = new Map<string, Value>([
    method("__repr__", "self", (c) => shown(c, true)),
    method("__str__", "self", (c) =>
      asValue ? str(display(c.vm, own(c.value("self")))) : shown(c, false),
    ),
  ]);
  return makeClass({
    name,
    bases,
    attributes,
    native: {
      finish: finishEnum,
      construct: (vm, { positional }, cls) => memberOf(vm, positional[0] ?? NONE, cls),
    },
  })!;
}

const ENUM = enumClass("Enum", [], false);

/** The class of enumerations themselves, for isinstance(Mode, EnumMeta). */
const ENUM_META: ClassValue = makeClass({
  name: "EnumMeta",
  bases: [],
  attributes: new Map(),
  native: { matches: (v) => v.kind === "class" && v.mro.includes(ENUM) },
})!;

export const enumeration: Contents = {
  Enum: ENUM,
  IntEnum: enumClass("IntEnum", [ENUM], true),
  StrEnum: enumClass("StrEnum", [ENUM], true),
  EnumMeta: ENUM_META,
  EnumType: ENUM_META,
  auto: AUTO,
  unique: unchanged("unique"),
};
