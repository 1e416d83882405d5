/** collections.abc: what isinstance() says of each, which decides branches of real losses. */
import { findMethod } from "../../interpreter/attributes.ts";
import { isCallable } from "../../interpreter/calls.ts";
import { makeClass } from "../../interpreter/classes.ts";
import { isHashable } from "../../interpreter/collections.ts";
import type { Value } from "../../values.ts";
import type { Contents } from "./define.ts";

const has = (v: Value, ...methods: string[]): boolean =>
  methods.every((name) => findMethod(v, name) !== null);

const of = (v: Value, ...kinds: Value["kind"][]): boolean => kinds.includes(v.kind);

/** Enumerations are collections of their members. */
const isEnumeration = (v: Value): boolean =>
  v.kind === "class" && v.attributes.get("__members__")?.kind === "dict";

const isSized = (v: Value): boolean =>
  of(v, "str", "list", "tuple", "dict", "set", "range", "tensor") ||
  has(v, "__len__") ||
  isEnumeration(v);
const isIterable = (v: Value): boolean => isSized(v) || of(v, "iterator") || has(v, "__iter__");
const isContainer = (v: Value): boolean => isSized(v) || has(v, "__contains__");
const isIterator = (v: Value): boolean => of(v, "iterator") || has(v, "__iter__", "__next__");
const isMapping = (v: Value): boolean => of(v, "dict");
const isSequence = (v: Value): boolean => of(v, "str", "list", "tuple", "range");
const isSet = (v: Value): boolean => of(v, "set");

const TESTS: Readonly<Record<string, (v: Value) => boolean>> = {
  Callable: isCallable,
  Collection: (v) => isSized(v) && isIterable(v) && isContainer(v),
  Container: isContainer,
  Generator: (v) => of(v, "iterator"),
  Hashable: isHashable,
  Iterable: isIterable,
  Iterator: isIterator,
  Mapping: isMapping,
  MutableMapping: isMapping,
  MutableSequence: (v) => of(v, "list"),
  MutableSet: isSet,
  Reversible: (v) => isSequence(v) || isMapping(v),
  Sequence: isSequence,
  Set: isSet,
  Sized: isSized,
};

export const abstractCollections: Contents = Object.fromEntries(
  Object.entries(TESTS).map(([name, matches]) => [
    name,
    makeClass({ name, bases: [], attributes: new Map(), native: { matches } })!,
  ]),
);
