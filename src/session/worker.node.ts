/** The worker thread: notebook sessions and single inspections, by messages (`protocol.ts`). */
import { parentPort } from "node:worker_threads";
import { fileURLToPath } from "node:url";
import { usePlainCopies } from "../numbers/copies.node.ts";
import { useProcessors } from "../numbers/crew.node.ts";
import { loadParserFromDisk } from "../python/parser.node.ts";
import type { PythonParser } from "../python/parser.ts";
import { Referee } from "./autograd/referee.node.ts";
import { catalogueFormula, catalogueList } from "./catalogue.ts";
import { draw } from "./draw.ts";
import { toFailure } from "./failure.ts";
import { filesFor } from "./files.node.ts";
import type { Watch } from "./inspect.ts";
import { inspectSource } from "./jobs.ts";
import { NotebookSession } from "./notebook.ts";
import type { CellOutput, Request, Response } from "./protocol.ts";

/** Messages about progress are not worth more than this many a second. */
const PROGRESS_INTERVAL_MS = 100;

/** dist/worker.js lies beside media/. */
const referee = new Referee(
  fileURLToPath(new URL("../media/python/autograd_server.py", import.meta.url)),
  (text) => {
    send({ kind: "pythonLog", text });
  },
);

// dist/thread.js lies beside this file.
useProcessors(new URL("./thread.js", import.meta.url));
usePlainCopies();

const sessions = new Map<string, { notebook: NotebookSession; interrupt: Int32Array }>();
let parser: Promise<PythonParser> | null = null;

function send(message: Response): void {
  parentPort?.postMessage(message);
}

function watchFor(run: number, interrupt: Int32Array): Watch {
  let last = 0;
  return {
    onProgress(fraction, what) {
      const now = Date.now();
      if (now - last < PROGRESS_INTERVAL_MS) return;
      last = now;
      send({ kind: "progress", run, fraction, what });
    },
    isCancelled: () => Atomics.load(interrupt, 0) !== 0,
  };
}

/** How often a wait for Python looks whether it is to stop. */
const INTERRUPT_POLL_MS = 50;

async function execute(
  { notebook, interrupt }: { notebook: NotebookSession; interrupt: Int32Array },
  request: Extract<Request, { kind: "execute" }>,
  output: (o: CellOutput) => void,
): Promise<boolean> {
  const watch = watchFor(request.run, interrupt);
  const stopping = new AbortController();
  const timer = setInterval(() => {
    if (watch.isCancelled()) stopping.abort();
  }, INTERRUPT_POLL_MS);
  try {
    const python = request.python ?? null;
    return await notebook.executeWithPython(
      request,
      output,
      watch,
      python,
      referee,
      stopping.signal,
    );
  } finally {
    clearInterval(timer);
  }
}

async function handle(request: Exclude<Request, { kind: "restartPython" }>): Promise<void> {
  switch (request.kind) {
    case "open":
      parser ??= loadParserFromDisk();
      sessions.set(request.session, {
        notebook: new NotebookSession(
          await parser,
          filesFor(request.python ?? null),
          request.directory,
        ),
        interrupt: new Int32Array(request.interrupt),
      });
      break;
    case "catalogue": {
      const { run, ask } = request;
      const answer =
        "search" in ask
          ? { items: catalogueList(ask.search) }
          : { formula: catalogueFormula(ask.formula, ask.arrays) };
      send({ kind: "catalogue", run, answer });
      send({ kind: "done", run, ok: true });
      break;
    }
    case "close":
      sessions.delete(request.session);
      break;
    case "execute": {
      const { run } = request;
      const output = (o: CellOutput): void => {
        send({ kind: "output", run, output: o });
      };
      const session = sessions.get(request.session);
      const ok = session !== undefined && (await execute(session, request, output));
      send({ kind: "done", run, ok });
      break;
    }
    case "usage": {
      const { run, name, parameters } = request;
      const usage = sessions.get(request.session)?.notebook.usage(name, parameters);
      send({ kind: "usage", run, usage: usage ?? { isDefined: false, call: null } });
      send({ kind: "done", run, ok: true });
      break;
    }
    case "sessionArrays": {
      const { run, ask } = request;
      const answer = sessions.get(request.session)?.notebook.arrays(ask);
      const nothing = {
        kind: "refused",
        message: "The notebook's kernel has not started.",
      } as const;
      send({ kind: "sessionArrays", run, answer: answer ?? nothing });
      send({ kind: "done", run, ok: true });
      break;
    }
    case "inspect": {
      const { run } = request;
      let ok = true;
      parser ??= loadParserFromDisk();
      const watch = watchFor(run, new Int32Array(request.interrupt));
      for (const result of inspectSource(
        request,
        { parser: await parser, files: filesFor(request.python ?? null) },
        watch,
      )) {
        if ("failure" in result) {
          ok = false;
          send({ kind: "output", run, output: { kind: "failure", failure: result.failure } });
        } else {
          const drawn = draw(result.inspection.report);
          send({ kind: "output", run, output: { kind: "report", drawn } });
        }
      }
      send({ kind: "done", run, ok });
      break;
    }
  }
}

// One request after the other, in the order they came, also while the first waits for the parser.
let queue = Promise.resolve();
parentPort?.on("message", (request: Request) => {
  // Not in turn: it is there to end what the turn is waiting for.
  if (request.kind === "restartPython") {
    referee.dispose();
    return;
  }
  queue = queue
    .then(() => handle(request))
    .catch((e: unknown) => {
      if (!("run" in request)) return;
      send({
        kind: "output",
        run: request.run,
        output: { kind: "failure", failure: toFailure(e) },
      });
      send({ kind: "done", run: request.run, ok: false });
    });
});
send({ kind: "ready" });
