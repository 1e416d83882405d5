/** Arrays of a Python program that a debugger has paused: variables, watched expressions, names. */
import { basename } from "node:path";
import type { DebugProtocol } from "@vscode/debugprotocol";
import * as vscode from "vscode";
import { pausedPython } from "../../arrays/live/debugAdapter.ts";
import { dictionaryOf } from "../../arrays/live/python.ts";
import { ArrayError } from "../../arrays/ndarray.ts";
import { type LiveArrays, type LivePlace, NoPlace } from "./liveArray.ts";
import { expressionAt } from "./nameInEditor.ts";

/** Debug types whose adapter is debugpy. */
const PYTHON_TYPES: readonly string[] = ["python", "debugpy"];

/** A type of variable that may be an array; others are not looked at for the other array. */
const ARRAY_TYPE = /array|tensor|parameter|variable|tracer|box|memmap|matrix|list|tuple/i;

/** Variables of one frame that are looked at: modules have hundreds of names. */
const MOST_VARIABLES = 200;

export class PausedPrograms {
  private readonly arrays: LiveArrays;

  constructor(arrays: LiveArrays) {
    this.arrays = arrays;
  }

  /** Checks a variable of the Variables view, or an expression of the Watch view. */
  async checkVariable(argument: unknown): Promise<void> {
    const expression = expressionOf(argument);
    if (expression === null) {
      void vscode.window.showInformationMessage(
        "This entry has no Python expression of its own. Add one to the Watch view, and right-click it there.",
      );
      return;
    }
    await this.arrays.check(expression, () => pausedPlace(sessionIdOf(argument)));
  }

  /** Checks the name around the cursor, or the selected expression. */
  async checkName(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const expression = editor === undefined ? null : expressionAt(editor);
    if (expression === null) {
      void vscode.window.showInformationMessage(
        "Put the cursor on the name of an array, or select an expression that gives one.",
      );
      return;
    }
    await this.arrays.check(expression, () => pausedPlace());
  }
}

/**
 * The frame that is selected in the Call Stack.
 * @param sessionId the session that an array was picked in
 * @throws NoPlace when there is none, or it is not Python's
 */
async function pausedPlace(sessionId?: string): Promise<LivePlace> {
  const item = vscode.debug.activeStackItem;
  if (!(item instanceof vscode.DebugStackFrame)) {
    throw new NoPlace(
      "No program is paused.",
      "Pause it at a breakpoint, and select a frame in the Call Stack.",
    );
  }
  const { session, frameId } = item;
  if (sessionId !== undefined && session.id !== sessionId) {
    throw new NoPlace(
      "The array belongs to another debug session than the selected frame.",
      "Select a frame of its session in the Call Stack.",
    );
  }
  if (!PYTHON_TYPES.includes(session.type)) {
    throw new NoPlace(
      `${session.name} is debugged as ${session.type}; arrays of Python programs can be read.`,
      "Save the array to a .npy file, and right-click that.",
    );
  }
  const ask = (command: string, body: unknown): Thenable<unknown> =>
    session.customRequest(command, body);
  return {
    python: () => pausedPython(ask, frameId),
    onGone: (listener) =>
      vscode.debug.onDidTerminateDebugSession((other) => {
        if (other.id !== session.id) return;
        listener(new ArrayError("The debug session ended before the array was read."));
      }),
    origin: await originOf(item),
    variables: async () => dictionaryOf(await namesIn(item)),
  };
}

/** "paused debugger, losses.py:12". */
async function originOf({ session, threadId, frameId }: vscode.DebugStackFrame): Promise<string> {
  const origin = "paused debugger";
  try {
    const { stackFrames } = (await session.customRequest("stackTrace", {
      threadId,
    })) as DebugProtocol.StackTraceResponse["body"];
    const frame = stackFrames.find((f) => f.id === frameId);
    const file = frame?.source?.name ?? basename(frame?.source?.path ?? "");
    return frame === undefined || file === "" ? origin : `${origin}, ${file}:${String(frame.line)}`;
  } catch {
    // The place is only said more precisely by it.
    return origin;
  }
}

/** Names of the frame's local variables that may be arrays. */
async function namesIn({ session, frameId }: vscode.DebugStackFrame): Promise<string[]> {
  const { scopes } = (await session.customRequest("scopes", {
    frameId,
  })) as DebugProtocol.ScopesResponse["body"];
  const locals = scopes[0];
  if (locals === undefined) return [];
  const { variables } = (await session.customRequest("variables", {
    variablesReference: locals.variablesReference,
  })) as DebugProtocol.VariablesResponse["body"];
  return variables
    .filter(({ name, type }) => /^[^\W\d]\w*$/u.test(name) && ARRAY_TYPE.test(type ?? ""))
    .slice(0, MOST_VARIABLES)
    .map(({ name }) => name);
}

/** What VS Code gives with an entry of the Variables and Watch views. */
interface MenuArgument {
  readonly sessionId?: unknown;
  readonly variable?: { readonly evaluateName?: unknown };
  /** A watched expression itself. */
  readonly name?: unknown;
}

/** The Python expression of an entry; null for one that has none, as the members of a set. */
export function expressionOf(argument: unknown): string | null {
  const { variable, name } = (argument ?? {}) as MenuArgument;
  const expression = variable === undefined ? name : variable.evaluateName;
  return typeof expression === "string" && expression.trim() !== "" ? expression : null;
}

function sessionIdOf(argument: unknown): string | undefined {
  const { sessionId } = (argument ?? {}) as MenuArgument;
  return typeof sessionId === "string" ? sessionId : undefined;
}
