/**
 * What a reader unfolded and which slice they were looking at, kept while the notebook is open.
 * It is kept under the output's id and, so that running a cell again does not fold everything,
 * under the name of the function as well.
 */
import type { RendererContext } from "vscode-notebook-renderer";

type Values = Record<string, boolean | number>;

/** How many outputs are remembered, and how many things of each. */
const MAX_OUTPUTS = 200;
const MAX_VALUES = 200;

export interface Memory {
  read(name: string): unknown;
  write(name: string, value: boolean | number): void;
}

/** The memory of one output. Earlier keys win over later ones; all of them are written. */
export function memoryOf(
  context: Pick<RendererContext<unknown>, "getState" | "setState">,
  keys: readonly string[],
): Memory {
  let values: Values = {};
  const all = stateOf(context);
  for (const key of keys) {
    const found = all.get(key);
    if (found === undefined) continue;
    values = { ...found };
    break;
  }
  return {
    read: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
    write(name, value) {
      if (values[name] === value) return;
      values = { ...values, [name]: value };
      if (Object.keys(values).length > MAX_VALUES) return;
      const now = stateOf(context);
      for (const key of keys) {
        now.delete(key);
        now.set(key, values);
      }
      const entries = [...now].slice(-MAX_OUTPUTS);
      context.setState({ outputs: entries });
    },
  };
}

/** The stored state; anything that is not of our making is ignored. */
function stateOf(context: Pick<RendererContext<unknown>, "getState">): Map<string, Values> {
  const state = context.getState();
  const result = new Map<string, Values>();
  if (typeof state !== "object" || state === null || !("outputs" in state)) return result;
  if (!Array.isArray(state.outputs)) return result;
  for (const entry of state.outputs as unknown[]) {
    if (!Array.isArray(entry)) continue;
    const [key, values] = entry as unknown[];
    if (typeof key === "string" && typeof values === "object" && values !== null) {
      result.set(key, values as Values);
    }
  }
  return result;
}
