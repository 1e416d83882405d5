/** The thread of a crew as it is built, for tests and benches that run from source. */
import { buildSync } from "esbuild";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../scripts/lib/root.mjs";

export function threadFile(): URL {
  const outfile = join(root, ".cache/thread.mjs");
  buildSync({
    entryPoints: [join(root, "src/numbers/thread.node.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    logLevel: "error",
  });
  return pathToFileURL(outfile);
}
