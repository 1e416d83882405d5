/** Name spaces with Python's rules: local, enclosing functions, module, built in. */
import type { Code } from "../syntax.ts";
import type { Value } from "../values.ts";

export class Scope {
  readonly kind: "module" | "function" | "class" | "comprehension";
  readonly variables = new Map<string, Value>();
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
    this.parent = parent;
    this.module = parent === null ? this : parent.module;
    this.code = options.code ?? null;
    this.born = born;
    this.file = options.file ?? parent?.file ?? "";
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
