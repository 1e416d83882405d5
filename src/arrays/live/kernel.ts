/** A Python kernel of Jupyter, reached through the code that it executes. */
import { ArrayError } from "../ndarray.ts";
import type { RunningPython } from "./python.ts";

/** What a kernel shows for executed code, as VS Code and the Jupyter extension have it. */
export interface KernelOutput {
  readonly items: readonly { readonly mime: string; readonly data: Uint8Array }[];
}

/** Executes code without a trace in the kernel's history. @throws ArrayError when that is refused */
export type Execute = (code: string) => AsyncIterable<KernelOutput>;

const ERROR = "application/vnd.code.notebook.error";

/** The program as a kernel's cells see it. */
export function kernelPython(execute: Execute): RunningPython {
  const evaluate = async (expression: string): Promise<string> => {
    // A statement whose value is None: IPython remembers nothing of it, and no name is bound.
    const code =
      `__import__("IPython.display", fromlist=["display"]).display(` +
      `{"text/plain": ${expression}}, raw=True)`;
    let text: string | null = null;
    for await (const { items } of execute(code)) {
      for (const { mime, data } of items) {
        if (mime === ERROR) throw failure(new TextDecoder().decode(data));
        if (mime === "text/plain") text = new TextDecoder().decode(data);
      }
    }
    if (text !== null) return text;
    throw new ArrayError("The kernel gave no answer.", {
      remedy:
        "It may have ended. A Jupyter server also holds back large outputs: start it with a higher --ServerApp.iopub_data_rate_limit.",
    });
  };
  return { evaluate, evaluateAnywhere: evaluate };
}

/** What went wrong, from the error that the kernel showed: JSON of its name, message and stack. */
function failure(json: string): ArrayError {
  let name = "Error";
  let message = json;
  try {
    const error = JSON.parse(json) as { name?: unknown; message?: unknown };
    if (typeof error.name === "string") name = error.name;
    if (typeof error.message === "string") message = error.message;
  } catch {
    // Shown as it came.
  }
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
