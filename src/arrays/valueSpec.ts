/** Values as a person types them: a literal, a file, or an array in a file. */
import { ArrayError } from "./ndarray.ts";
import { readerFor } from "./readers.ts";

/** What a typed value stands for. */
export type ValueSpec =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "file"; readonly path: string; readonly member?: string };

/**
 * Tells a path (`mask.npy`, `case.npz[prob]`, `np.load("case.npz")["prob"]`, quoted or not) from a
 * literal (`[[0.1, 0.9]]`, `np.zeros((2, 3))`, `0.5`). A path that ends as a readable file does is
 * always taken as one; whether it exists is not looked at, nor is a literal parsed.
 *
 * @throws ArrayError if there is nothing there.
 */
export function parseValueSpec(text: string): ValueSpec {
  const spec = text.trim();
  if (spec === "") {
    throw new ArrayError("The value is empty.", {
      remedy: "Give a file (mask.npy, case.npz[prob]) or an array ([[0.1, 0.9]]).",
    });
  }
  const loaded =
    /^(?:np|numpy|jnp)\.load\(\s*(["'])(.+?)\1[^()]*\)(?:\[\s*(["'])(.+?)\3\s*\])?$/su.exec(spec);
  if (loaded !== null) return file(loaded[2]!, loaded[4]);
  const quoted = /^(["'])(.+)\1$/su.exec(spec);
  if (quoted !== null) return fileWithMember(quoted[2]!);
  const path = fileWithMember(spec);
  if (readerFor(path.path) !== undefined) return path;
  return looksLikeLiteral(spec) ? { kind: "literal", text: spec } : path;
}

function file(path: string, member: string | undefined): ValueSpec & { kind: "file" } {
  return member === undefined ? { kind: "file", path } : { kind: "file", path, member };
}

function fileWithMember(spec: string): ValueSpec & { kind: "file" } {
  const parts = /^(.*[^[\]])\[([^[\]]+)\]$/su.exec(spec);
  if (parts === null) return file(spec, undefined);
  const member = parts[2]!.trim().replace(/^(["'])(.*)\1$/su, "$2");
  return file(parts[1]!, member);
}

function looksLikeLiteral(spec: string): boolean {
  // A bracket or a printed tensor; a number or arithmetic on some; a call; a number's name.
  return (
    /^[[({<]/u.test(spec) ||
    /^[-+]*[.\d][\d_.eExXoObBa-fA-F+\-*/%\s(),]*$/u.test(spec) ||
    /^[-+]*[A-Za-z_][\w.]*\s*\(/u.test(spec) ||
    /^[-+]*(?:True|False|None|nan|NaN|inf|Infinity|(?:np|numpy|math|torch|jnp)\.\w+)$/u.test(spec)
  );
}
