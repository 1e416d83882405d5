/** The command line's arguments. */

export interface Command {
  readonly name: "derive" | "check";
  readonly file: string;
  /** Function, or class with constructor arguments; null for every one in the file. */
  readonly callable: string | null;
  readonly values: readonly string[];
  readonly wrt: string | null;
  readonly out: string | null;
  readonly json: boolean;
}

/** Wrong use: exit code 2 and the usage. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const USAGE = `usage: dice-gradient derive FILE[:CALLABLE] [--wrt NAME] [--json]
       dice-gradient check FILE:CALLABLE NAME=VALUE... [--wrt NAME] [--out grad.npy] [--json]

CALLABLE  a function, or a class with constructor arguments: losses.py:DiceLoss(smooth=1.0)
VALUE     a Python literal ([[0.2, 0.9], [0.5, 0.1]]) or a file (mask.npy, case.npz[prob])
--wrt     the argument to differentiate by; by default the prediction
--out     writes the gradient as .npy
--json    prints one JSON object, or an array of them when FILE alone has several losses

exit code 0: agrees (derive: derived); 1: differs, undefined or not differentiable; 2: bad input`;

export function parseArguments(argv: readonly string[]): Command {
  const [name, ...rest] = argv;
  if (name !== "derive" && name !== "check") {
    throw new UsageError(name === undefined ? "no command given" : `there is no command ${name}`);
  }
  const positional: string[] = [];
  let wrt: string | null = null;
  let out: string | null = null;
  let json = false;
  for (let k = 0; k < rest.length; k++) {
    const arg = rest[k]!;
    if (arg === "--json") json = true;
    else if (arg === "--wrt" || arg === "--out") {
      const value = rest[++k];
      if (value === undefined) throw new UsageError(`${arg} needs a value`);
      if (arg === "--wrt") wrt = value;
      else out = value;
    } else if (arg.startsWith("--wrt=")) wrt = arg.slice(6);
    else if (arg.startsWith("--out=")) out = arg.slice(6);
    else if (arg.startsWith("--")) throw new UsageError(`there is no option ${arg}`);
    else positional.push(arg);
  }
  const target = positional.shift();
  if (target === undefined) throw new UsageError(`${name} needs a FILE`);
  const { file, callable } = splitTarget(target);
  for (const v of positional) {
    if (!/^[A-Za-z_]\w*=./s.test(v)) throw new UsageError(`${v} is not NAME=VALUE`);
  }
  if (name === "check" && callable === null && !file.endsWith(".dice")) {
    throw new UsageError(`check needs FILE:CALLABLE, e.g. ${file}:dice_loss`);
  }
  if (name === "derive" && out !== null) throw new UsageError("--out belongs to check");
  return { name, file, callable, values: positional, wrt, out, json };
}

/** `losses.py:DiceLoss(smooth=1.0)` → file and callable. A drive letter's colon is part of the file. */
export function splitTarget(target: string): { file: string; callable: string | null } {
  const m = /^(.*?\.[A-Za-z]+):([A-Za-z_][\s\S]*)$/.exec(target);
  return m === null ? { file: target, callable: null } : { file: m[1]!, callable: m[2]! };
}
