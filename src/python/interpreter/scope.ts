/** Name spaces with Python's rules: local, enclosing functions, module, built in. */
import type { Code } from "../syntax.ts";
import type { Value } from "../values.ts";

/**
 * Names of a module. An import of an installed module is carried out when the name that it binds is
 * first read: most of what a package imports has no part in any one loss.
 */
class ModuleNames extends Map<string, Value> {
  private readonly pending = new Map<string, () => Value>();
  /** Being carried out: what reads the name meanwhile finds none, as in Python's own cycles. */
  private readonly making = new Set<string>();

  defer(name: string, placeholder: Value, make: () => Value): void {
    super.set(name, placeholder);
    this.pending.set(name, make);
  }

  override get(name: string): Value | undefined {
    if (this.making.has(name)) return undefined;
    const make = this.pending.get(name);
    if (make === undefined) return super.get(name);
    this.making.add(name);
    try {
      const made = make();
      this.set(name, made);
      return made;
    } finally {
      this.making.delete(name);
    }
  }

  override set(name: string, value: Value): this {
    this.pending.delete(name);
    return super.set(name, value);
  }

  override delete(name: string): boolean {
    this.pending.delete(name);
    return super.delete(name);
  }
}

export class Scope {
  readonly kind: "module" | "function" | "class" | "comprehension";
  readonly variables: Map<string, Value>;
  /** The scope this one is written in; `null` for a module. */
  readonly parent: Scope | null;
  readonly module: Scope;
  /** Function scopes only. */
  readonly code: Code | null;
  readonly born: number;
  /** File of the module, for imports relative to it. */
  readonly file: string;

  constructor(
    kind: Scope["kind"],
    parent: Scope | null,
    born: number,
    options: { code?: Code; file?: string } = {},
  ) {
    this.kind = kind;
    this.variables = kind === "module" ? new ModuleNames() : new Map<string, Value>();
    this.parent = parent;
    this.module = parent === null ? this : parent.module;
    this.code = options.code ?? null;
    this.born = born;
    this.file = options.file ?? parent?.file ?? "";
  }

  /**
   * Binds a name to what `make` gives when it is first read.
   * @param placeholder what it is where names are only listed
   */
  defer(name: string, placeholder: Value, make: () => Value): void {
    if (this.variables instanceof ModuleNames) this.variables.defer(name, placeholder, make);
    else this.variables.set(name, make());
  }

  /** The scope in which an assignment to `name` takes effect when written here. */
  target(name: string): Scope {
    if (this.kind === "comprehension") return this.parent!.target(name);
    if (this.code?.globals.has(name) === true) return this.module;
    if (this.code?.nonlocals.has(name) === true) return this.enclosing(name) ?? this;
    return this;
  }

  private enclosing(name: string): Scope | null {
    for (let s = this.parent; s !== null; s = s.parent) {
      if (s.kind === "function" && s.code?.locals.has(name) === true) return s;
    }
    return null;
  }

  /** `"unbound"`: a local variable that is read before it is assigned. */
  lookup(name: string): Value | "unbound" | undefined {
    const own = this.own(name);
    if (own !== undefined) return own;
    for (let s = this.parent; s !== null; s = s.parent) {
      // Functions written in a class body do not see its names.
      const found = s.kind === "class" ? undefined : s.own(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private own(name: string): Value | "unbound" | undefined {
    if (this.code?.globals.has(name) === true) return this.module.variables.get(name);
    const found = this.variables.get(name);
    if (found !== undefined) return found;
    return this.code?.locals.has(name) === true ? "unbound" : undefined;
  }
}
