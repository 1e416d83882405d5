/** The worker thread behind hovers and lenses: see `server.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { loadParserFromDisk } from "../../python/parser.node.ts";
import { filesFor } from "../files.node.ts";
import type { InlineRequest } from "./protocol.ts";
import { InlineServer } from "./server.ts";

/** Requests posted so far; the other side counts, since a busy thread reads no messages. */
const posted = new Int32Array((workerData as { posted: SharedArrayBuffer }).posted);
let taken = 0;

const server = loadParserFromDisk().then(
  (parser) =>
    new InlineServer({
      parser,
      filesFor,
      send: (response) => parentPort?.postMessage(response),
      isWaiting: () => Atomics.load(posted, 0) > taken,
    }),
);

let working = false;

/** One derivation, then whatever has arrived, and so on until nothing is left. */
function work(inline: InlineServer): void {
  working = inline.step();
  if (working) {
    setImmediate(() => {
      work(inline);
    });
  }
}

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
