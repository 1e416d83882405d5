/** What one library is to the tracer: its modules, and what its arrays can do. */
import { makeClass } from "../interpreter/classes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type {
  BuiltinValue,
  CallArguments,
  ClassValue,
  ModuleValue,
  OpaqueValue,
  TensorValue,
  Value,
} from "../values.ts";
import type { Library } from "../dtypes.ts";
import { type Aliases, type Entry, type Table, builtin } from "./signature.ts";
import { ARRAY_TYPES } from "./types.ts";

export interface LibraryModel {
  /** By their full names: "torch.nn.functional". */
  readonly modules: ReadonlyMap<string, ModuleValue>;
  /** A method of the library's arrays; `null` if they have none of that name. */
  readonly method: (name: string) => BuiltinValue | null;
  /** An attribute of the library's arrays that is no method. */
  readonly attribute: (vm: Interpreter, t: TensorValue, name: string) => Value | undefined;
}

/** A library that has no arrays of its own: math, typing, … */
export const NO_ARRAYS: Pick<LibraryModel, "method" | "attribute"> = {
  method: () => null,
  attribute: () => undefined,
};

/** Names of a module that no table has: constants, classes, dtypes, submodules. */
export type OtherNames = (name: string) => Value | undefined;

/** The modules of a library, as they are being described. */
export class Modules {
  readonly all = new Map<string, ModuleValue>();
  private readonly library: Library;

  constructor(library: Library) {
    this.library = library;
  }

  /**
   * @param tables functions, one line each; the first table that has a name decides. What is read
   * off a function has a dot in its name: "add.at"
   * @param others everything else; submodules that are defined need no mention
   */
  define(
    name: string,
    tables: readonly Table[],
    others: OtherNames = () => undefined,
    aliases: Aliases = {},
  ): void {
    const withSubmodules: OtherNames = (attribute) =>
      others(attribute) ?? this.all.get(`${name}.${attribute}`);
    this.all.set(name, new LibraryModule(name, this.library, tables, withSubmodules, aliases));
  }

  get(name: string): ModuleValue | undefined {
    return this.all.get(name);
  }
}

/** Functions that give something else at every call. */
const RANDOM =
  /(^|\.)random(\.|$)|\.(rand|randn|randint|randperm|bernoulli|multinomial|normal|poisson)(_like)?$/;

/** Names of a module, each made when it is first asked for. */
class LibraryModule implements ModuleValue {
  readonly kind = "module" as const;
  readonly name: string;
  readonly file = null;
  readonly scope = null;
  private readonly tables: readonly Table[];
  private readonly library: Library;
  private readonly others: OtherNames;
  private readonly aliases: Aliases;
  private readonly known = new Map<string, Value>();

  constructor(
    name: string,
    library: Library,
    tables: readonly Table[],
    others: OtherNames,
    aliases: Aliases,
  ) {
    this.name = name;
    this.library = library;
    this.tables = tables;
    this.others = others;
    this.aliases = aliases;
  }

  readonly get = (name: string): Value => {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const made = this.make(name);
    this.known.set(name, made);
    return made;
  };

  readonly names = (): Iterable<string> =>
    this.tables.flatMap((t) => Object.keys(t)).filter((name) => !name.includes("."));

  private make(name: string): Value {
    for (const table of this.tables) {
      if (Object.hasOwn(table, name)) {
        const attributes = this.readOff(name);
        return { ...this.builtin(name, table[name]!), ...(attributes && { attributes }) };
      }
    }
    return this.others(name) ?? this.unknown(name);
  }

  /** Functions that are attributes of a function, as `np.add.at` is. */
  private readOff(name: string): Map<string, Value> | null {
    const start = `${name}.`;
    const own = this.tables
      .flatMap((t) => Object.entries(t))
      .filter(([full]) => full.startsWith(start));
    if (own.length === 0) return null;
    return new Map(own.map(([n, entry]) => [n.slice(start.length), this.builtin(n, entry)]));
  }

  private builtin(name: string, entry: Entry): BuiltinValue {
    return builtin(`${this.name}.`, name, entry, this.library, this.aliases);
  }

  private unknown(name: string): OpaqueValue {
    return {
      kind: "opaque",
      name: `${this.name}.${name}`,
      reason: RANDOM.test(`${this.name}.${name}`)
        ? "it draws random numbers, of which there is no formula"
        : "there is no model of what it computes yet",
    };
  }
}

/** How an array is made of numbers. */
const MAKERS: Readonly<Record<Library, string>> = {
  numpy: "np.array",
  torch: "torch.tensor",
  tensorflow: "tf.constant",
  jax: "jnp.array",
  autograd: "np.array",
};

/** The class of a library's arrays, for isinstance() and annotations. */
export function arrayType(
  library: Library,
  name: string,
  construct?: (vm: Interpreter, args: CallArguments) => Value,
): ClassValue {
  const cls = makeClass({
    name,
    bases: [],
    attributes: new Map(),
    native: {
      matches: (v) => v.kind === "tensor" && v.library === library,
      construct:
        construct ??
        ((vm) => vm.unsupported(`${name}(…) is not supported`, `Use ${MAKERS[library]}.`)),
    },
  })!;
  ARRAY_TYPES.set(library, cls);
  return cls;
}

/** A decorator that leaves what a function computes as it is, with or without settings. */
export const identityDecorator = (name: string): BuiltinValue => ({
  kind: "builtin",
  name,
  call: (_vm, { positional }) => positional[0] ?? identityDecorator(name),
});

/** A decorator that is always called with its settings first: `@register(package="losses")`. */
export const decoratorFactory = (name: string): BuiltinValue => ({
  kind: "builtin",
  name,
  call: () => identityDecorator(name),
});
