/**
 * The worker thread behind hovers and lenses, see `server.ts`; and, started for that, one that goes
 * through files, see `lint.node.ts`.
 */
import { parentPort, workerData } from "node:worker_threads";
import { readHeaderFile } from "../../arrays/loadArray.node.ts";
import { loadParserFromDisk } from "../../python/parser.node.ts";
import { summaryInFile } from "../arrays/fileSummary.node.ts";
import { filesFor } from "../files.node.ts";
import { isLintThread, serveLint } from "../lint.node.ts";
import type { InlineRequest } from "./protocol.ts";
import { InlineServer } from "./server.ts";

if (isLintThread) serveLint();
else serveInline();

function serveInline(): void {
  /** Requests posted so far; the other side counts, since a busy thread reads no messages. */
  const posted = new Int32Array((workerData as { posted: SharedArrayBuffer }).posted);
  let taken = 0;
  let working = false;

  const server = loadParserFromDisk().then(
    (parser) =>
      new InlineServer({
        parser,
        filesFor,
        arrayFiles: { header: readHeaderFile, summary: summaryInFile },
        send: (response) => parentPort?.postMessage(response),
        isWaiting: () => Atomics.load(posted, 0) > taken,
      }),
  );

  /** One derivation, then whatever has arrived, and so on until nothing is left. */
  const work = (inline: InlineServer): void => {
    working = inline.step();
    if (!working) return;
    setImmediate(() => {
      work(inline);
    });
  };

  parentPort?.on("message", (request: InlineRequest) => {
    void server.then((inline) => {
      taken++;
      inline.handle(request);
      if (working) return;
      working = true;
      setImmediate(() => {
        work(inline);
      });
    });
  });
}
