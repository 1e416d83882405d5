/** What lowering knows while it goes through a file: the source, and the scopes being read. */
import { PythonError } from "../errors.ts";
import type { Source } from "../syntax.ts";
import type { TreeNode } from "../tree.ts";

/** The names that one function, class or module body binds. */
export interface Bindings {
  readonly kind: "module" | "function" | "class";
  readonly locals: Set<string>;
  readonly globals: Set<string>;
  readonly nonlocals: Set<string>;
  isGenerator: boolean;
  /** Loops around the statement being read. */
  loops: number;
}

export class Lowering {
  readonly source: Source;
  readonly text: string;
  /** Star nodes whose star has been taken note of above them. */
  readonly unstarred = new Set<TreeNode>();
  /** Reads a function definition whose body was left in the source. */
  readonly reread: (definition: TreeNode) => TreeNode;
  private readonly stack: Bindings[] = [];

  constructor(source: Source, text: string, reread: (definition: TreeNode) => TreeNode) {
    this.source = source;
    this.text = text;
    this.reread = reread;
    this.stack.push(emptyBindings("module"));
  }

  get bindings(): Bindings {
    return this.stack.at(-1)!;
  }

  textOf(node: TreeNode): string {
    return this.text.slice(node.start, node.end);
  }

  bind(name: string): void {
    this.bindings.locals.add(name);
  }

  /** Runs `read` inside a new scope and returns what it bound beside its result. */
  scope<T>(
    kind: Bindings["kind"],
    read: () => T,
  ): { readonly result: T; readonly bindings: Bindings } {
    const bindings = emptyBindings(kind);
    this.stack.push(bindings);
    try {
      return { result: read(), bindings };
    } finally {
      this.stack.pop();
    }
  }

  loop<T>(read: () => T): T {
    this.bindings.loops++;
    try {
      return read();
    } finally {
      this.bindings.loops--;
    }
  }

  fail(node: TreeNode, message: string, remedy: string | null = null): never {
    throw new PythonError(
      "SyntaxError",
      message,
      { span: node.span, source: this.source },
      { remedy },
    );
  }
}

function emptyBindings(kind: Bindings["kind"]): Bindings {
  return {
    kind,
    locals: new Set(),
    globals: new Set(),
    nonlocals: new Set(),
    isGenerator: false,
    loops: 0,
  };
}
