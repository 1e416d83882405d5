/** The worker thread that draws formulas for hovers. */
import { parentPort } from "node:worker_threads";
import type { TypesetRequest, TypesetResponse } from "./protocol.ts";
import { TypesettingError, toSvg } from "./svg.ts";

parentPort?.on("message", ({ id, latex, ink, width }: TypesetRequest) => {
  let svg: string | null = null;
  try {
    svg = toSvg(latex, ink, width);
  } catch (e) {
    // The formula is shown as text then.
    if (!(e instanceof TypesettingError)) throw e;
  }
  parentPort?.postMessage({ id, svg } satisfies TypesetResponse);
});
