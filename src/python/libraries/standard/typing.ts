/** typing, abc and collections.abc: what annotations need at run time, which is next to nothing. */
import { makeClass } from "../../interpreter/classes.ts";
import { makeDict } from "../../interpreter/collections.ts";
import { type ClassValue, FALSE, str } from "../../values.ts";
import { type Contents, fn, unchanged } from "./define.ts";
import { NAMED_TUPLE } from "./namedTuples.ts";

/** Types that only annotate: any subscript or base of them says nothing about values. */
const ANNOTATION: ClassValue = makeClass({ name: "Generic", bases: [], attributes: new Map() })!;

const ABC = makeClass({ name: "ABC", bases: [], attributes: new Map() })!;

/** Instances are dictionaries. */
const TYPED_DICT: ClassValue = makeClass({
  name: "TypedDict",
  bases: [],
  attributes: new Map(),
  native: {
    construct: (vm, { positional, keywords }) => {
      const [first] = positional;
      const pairs = first?.kind === "dict" ? [...first.entries.values()] : [];
      return makeDict(vm, [
        ...pairs.map((e) => [e.key, e.value] as const),
        ...[...keywords].map(([k, v]) => [str(k), v] as const),
      ]);
    },
  },
})!;

export function annotations(names: readonly string[]): Contents {
  return Object.fromEntries(names.map((n) => [n, ANNOTATION]));
}

export const typing: Contents = {
  ...annotations([
    "Any", "AnyStr", "Annotated", "Awaitable", "Callable", "ClassVar", "Collection", "Concatenate",
    "Container", "Coroutine", "DefaultDict", "Deque", "Dict", "Final", "FrozenSet", "Generator",
    "Generic", "Hashable", "Iterable", "Iterator", "List", "Literal", "LiteralString", "Mapping",
    "MutableMapping", "MutableSequence", "Never", "NoReturn", "NotRequired", "Optional",
    "OrderedDict", "ParamSpecArgs", "ParamSpecKwargs", "Protocol", "Required", "Reversible",
    "Self", "Sequence", "Set", "Sized", "SupportsFloat", "SupportsIndex", "SupportsInt", "Text",
    "Tuple", "Type", "TypeAlias", "TypeGuard", "Union", "Unpack",
  ]), // prettier-ignore
  NamedTuple: NAMED_TUPLE,
  TypedDict: TYPED_DICT,
  TYPE_CHECKING: FALSE,
  TypeVar: fn("TypeVar", "*args, **", () => ANNOTATION),
  TypeVarTuple: fn("TypeVarTuple", "*args, **", () => ANNOTATION),
  ParamSpec: fn("ParamSpec", "*args, **", () => ANNOTATION),
  NewType: fn("NewType", "name, tp", () => fn("NewType", "value", (c) => c.value("value"))),
  cast: fn("cast", "typ, val", (c) => c.value("val")),
  overload: unchanged("overload"),
  override: unchanged("override"),
  final: unchanged("final"),
  no_type_check: unchanged("no_type_check"),
  runtime_checkable: unchanged("runtime_checkable"),
};

export const abc: Contents = {
  ABC,
  ABCMeta: ABC,
  abstractmethod: unchanged("abstractmethod"),
  abstractclassmethod: fn("abstractclassmethod", "f", (c) => ({
    kind: "classmethod",
    callee: c.value("f"),
  })),
  abstractstaticmethod: fn("abstractstaticmethod", "f", (c) => ({
    kind: "staticmethod",
    callee: c.value("f"),
  })),
  abstractproperty: fn("abstractproperty", "fget", (c) => ({
    kind: "property",
    getter: c.value("fget"),
    setter: null,
  })),
};
