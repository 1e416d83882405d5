/** A Python program that a debugger has paused, reached through the Debug Adapter Protocol. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { ArrayError } from "../ndarray.ts";
import type { RunningPython } from "./python.ts";

/** Sends a request to the debug adapter and gives its answer's body. @throws Error with its message */
export type DebugRequest = (command: "evaluate", body: DebugProtocol.EvaluateArguments) => unknown;

/** What debugpy understands beside the protocol: strings as they are, without quotes or a limit. */
interface Format extends DebugProtocol.ValueFormat {
  readonly rawString: true;
}

const format: Format = { rawString: true };

/** The program as a frame of it sees it. */
export function pausedPython(request: DebugRequest, frameId: number): RunningPython {
  const evaluate = async (body: DebugProtocol.EvaluateArguments): Promise<string> => {
    let answer: unknown;
    try {
      answer = await request("evaluate", body);
    } catch (error) {
      throw failure(error instanceof Error ? error.message : String(error));
    }
    const { result } = (answer ?? {}) as Partial<DebugProtocol.EvaluateResponse["body"]>;
    if (typeof result !== "string") throw new ArrayError("The debugger gave no answer.");
    return result;
  };
  return {
    // As for a hover, an expression that fails is an error, and not a value that tells of it.
    evaluate: (expression) => evaluate({ expression, frameId, context: "hover", format }),
    // Without a frame, debugpy evaluates in a thread of its own and keeps no answer: one that belongs
    // to a frame stays in memory until the program goes on. The clipboard's answers are never cut.
    evaluateAnywhere: (expression) => evaluate({ expression, context: "clipboard", format }),
  };
}

/** What went wrong, from the adapter's words for it. */
function failure(said: string): ArrayError {
  if (/thread|not current|frame/i.test(said)) {
    return new ArrayError("The program is no longer paused where the array was picked.", {
      remedy: "Pause it again, and pick the array there.",
    });
  }
  if (/disconnect|terminated|not available|cancell?ed/i.test(said)) {
    return new ArrayError("The debug session ended before the array was read.");
  }
  if (said.includes("_dice_gradient_array_reader")) {
    return new ArrayError("Another array was asked for before this one was read.");
  }
  // A traceback ends in the error itself.
  const last = said.trim().split("\n").at(-1) ?? said;
  const name = /^NameError: name '(.+?)' is not defined/.exec(last)?.[1];
  if (name !== undefined) {
    return new ArrayError(`${name} is not known where the program is paused.`, {
      remedy: "Select the frame that has it in the Call Stack.",
    });
  }
  return new ArrayError(`Python could not evaluate it: ${last}`);
}
