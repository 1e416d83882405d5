/** A Python kernel of Jupyter, reached through the code that it executes. */
import { ArrayError } from "../ndarray.ts";
import { quoted, type RunningPython } from "./python.ts";

/** What a kernel shows for executed code, as VS Code and the Jupyter extension have it. */
export interface KernelOutput {
  readonly items: readonly { readonly mime: string; readonly data: Uint8Array }[];
}

/** Executes code without a trace in the kernel's history. @throws ArrayError when that is refused */
export type Execute = (code: string) => AsyncIterable<KernelOutput>;

const ERROR = "application/vnd.code.notebook.error";
const STDERR = /notebook\.(stream\.)?stderr$/;

/** How a Jupyter server says that it sends no more for now. */
const HELD_BACK = /IOPub (?:data|message) rate exceeded/;

/** How often an answer that a server holds back is asked for. */
const MOST_TRIES = 4;

/**
 * The program as a kernel's cells see it.
 * @param pause waits until a server that held an answer back may send again
 */
export function kernelPython(execute: Execute, pause: () => Promise<void>): RunningPython {
  const evaluate = async (expression: string): Promise<string> => {
    // A statement whose value is None: IPython remembers nothing of it, and no name is bound.
    const code =
      `__import__("IPython.display", fromlist=["display"]).display(` +
      `{"text/plain": ${expression}}, raw=True)`;
    for (let k = 1; ; k++) {
      const answer = await answerOf(execute(code));
      if (answer.text !== null) return answer.text;
      if (!answer.isHeldBack) {
        throw new ArrayError("The kernel gave no answer.", {
          remedy: "It may have ended: run the cells again that make the array.",
        });
      }
      if (k === MOST_TRIES) {
        throw new ArrayError("The Jupyter server holds the array back: it is more than it sends.", {
          remedy:
            "Start the server with a higher --ServerApp.iopub_data_rate_limit, or save the array with np.save(path, arr) and check the file.",
        });
      }
      await pause();
    }
  };
  return { evaluate, evaluateAnywhere: evaluate };
}

/** The text that code displayed, null if it did not arrive. @throws ArrayError for what it raised */
async function answerOf(
  outputs: AsyncIterable<KernelOutput>,
): Promise<{ readonly text: string | null; readonly isHeldBack: boolean }> {
  const decoder = new TextDecoder();
  let text: string | null = null;
  let isHeldBack = false;
  for await (const { items } of outputs) {
    for (const { mime, data } of items) {
      if (mime === ERROR) throw failure(decoder.decode(data));
      if (mime === "text/plain") text = decoder.decode(data);
      if (STDERR.test(mime)) isHeldBack ||= HELD_BACK.test(decoder.decode(data));
    }
  }
  return { text, isHeldBack };
}

/**
 * Jupyter names an element of a dictionary as if it were an attribute: `batch.mask` for
 * `batch["mask"]`, in the variables view. A Python expression that looks which of the two it is, as
 * Jupyter's own script does (an attribute comes first), and gives the text that Python takes.
 * @param named as Jupyter names it: a variable, with attributes, keys and numbers of elements
 * @returns null where no such thing is named
 */
export function pathNamed(named: string): string | null {
  const root = /^[^\W\d]\w*/u.exec(named)?.[0];
  if (root === undefined || root === named) return null;
  const steps: (string | number)[] = [];
  for (const [step, key, at] of named.slice(root.length).matchAll(/\.([^.[\]]+)|\[(\d+)\]|./gsu)) {
    if (step.length === 1) return null;
    steps.push(key ?? Number(at));
  }
  return (
    `__import__("functools").reduce(lambda at, step: ` +
    `(at[0][step], f"{at[1]}[{step}]") if isinstance(step, int) else ` +
    `(getattr(at[0], step), f"{at[1]}.{step}") if hasattr(at[0], step) else ` +
    `(at[0][step], f"{at[1]}[{step!r}]"), ${quoted(steps)}, (${root}, ${quoted(root)}))[1]`
  );
}

/** What went wrong, from the error that the kernel showed: JSON of its name, message and stack. */
function failure(json: string): ArrayError {
  try {
    const { name, message } = JSON.parse(json) as { name?: unknown; message?: unknown };
    return pythonFailure(
      typeof name === "string" ? name : "Error",
      typeof message === "string" ? message : json,
    );
  } catch {
    return pythonFailure("Error", json);
  }
}

/** What an exception that Python raised means for whoever asked for an array. */
export function pythonFailure(name: string, message: string): ArrayError {
  const missing = /name '(.+?)' is not defined/.exec(message)?.[1];
  if (name === "NameError" && missing !== undefined) {
    return new ArrayError(`The kernel has no ${missing}.`, {
      remedy: "Run the cell that makes it.",
    });
  }
  if (name === "KeyError" && message.includes("_dice_gradient_array_reader")) {
    return new ArrayError("The kernel was restarted, or asked for another array, meanwhile.");
  }
  return new ArrayError(`Python could not evaluate it: ${name}: ${message}`);
}
