/** A crew of worker threads on the heap that all of them see. */
import { availableParallelism } from "node:os";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { type Crew, type CrewJob, PieceFailed, useCrew } from "./crew.ts";
import {
  CONTROL,
  REMEMBERED_MODULES,
  closeClaims,
  firstClaim,
  numbersOf,
  showJob,
  waitAwake,
  workOn,
} from "./crewWork.ts";
import type { ThreadMessage, ThreadStart } from "./thread.node.ts";
import { features } from "./wasm/features.ts";
import { Scratch, heap } from "./wasm/heap.ts";

/** How long to wait for the others between two looks at whether to stop. */
const WAIT_MS = 10;
/** A piece takes milliseconds: when none is done for so long, the thread that has it is gone. */
const GIVEN_UP_MS = 60_000;
/**
 * Where the others did less than this share of so many jobs in a row, their processors are busy
 * with other things: a thread that only wakes up late does its share of the second job …
 */
const LEAST_SHARE = 0.1;
const JOBS_UNHELPED = 4;
/** … and so many jobs are done without them. */
const JOBS_ALONE = 8;

/** Thrown when a thread has died in the middle of a piece, which nobody else can do again. */
export class ThreadLost extends Error {
  override readonly name = "ThreadLost";
}

interface Helper {
  readonly worker: Worker;
  readonly port: MessagePort;
}

class NodeCrew implements Crew {
  readonly threads: number;
  private readonly control: Int32Array;
  private readonly file: URL;
  /** Started when the first job comes. */
  private helpers: readonly Helper[] = [];
  private readonly modules = new Map<WebAssembly.Module, number>();
  private moduleCount = 0;
  private generation = 0;
  private alone = 0;
  private unhelped = 0;

  /** Those that the present job is made of. */
  private readonly numbers = new Scratch(heap());
  private readonly patience: number;

  constructor(threads: number, file: URL, patience: number) {
    this.threads = threads;
    this.patience = patience;
    this.control = heap().array(Int32Array, CONTROL.length);
    this.file = file;
  }

  run(job: CrewJob, tick: (pieces: number) => void): void {
    const { control } = this;
    const generation = ++this.generation;
    for (const k of [CONTROL.done, CONTROL.failed, CONTROL.helped]) Atomics.store(control, k, 0);
    const wakes = this.alone === 0;
    if (wakes) this.show(job, generation);
    Atomics.store(control, CONTROL.next, firstClaim(generation));
    if (wakes) this.wake(generation);
    else this.alone--;
    try {
      workOn(job, generation, control, () => {
        tick(Atomics.load(control, CONTROL.done));
      });
      this.wait(job.pieces, tick);
    } catch (error) {
      if (!(error instanceof ThreadLost)) {
        this.wait(closeClaims(control, generation, job.pieces), () => undefined);
      }
      throw error;
    }
    if (Atomics.load(control, CONTROL.failed) !== 0) throw new PieceFailed();
    const helped = Atomics.load(control, CONTROL.helped) / job.pieces;
    if (!wakes || !this.isReady) return;
    this.unhelped = helped < LEAST_SHARE * (1 - 1 / this.threads) ? this.unhelped + 1 : 0;
    if (this.unhelped < JOBS_UNHELPED) return;
    this.unhelped = 0;
    this.alone = Math.max(this.alone, JOBS_ALONE);
  }

  async stop(): Promise<void> {
    await Promise.all(this.helpers.map((h) => h.worker.terminate()));
    this.numbers.release();
    heap().release(this.control.byteOffset);
  }

  get isAwake(): boolean {
    return Atomics.load(this.control, CONTROL.awake) > 0;
  }

  /** Whether every thread has begun to listen. */
  private get isReady(): boolean {
    return Atomics.load(this.control, CONTROL.started) >= this.threads - 1;
  }

  private start(): void {
    const start = { control: this.control, memory: heap().memory };
    this.helpers = Array.from({ length: this.threads - 1 }, () =>
      startHelper(this.file, start, () => {
        // A thread that cannot start or has died: this one does everything from now on.
        this.alone = Infinity;
      }),
    );
  }

  private show(job: CrewJob, generation: number): void {
    if (this.helpers.length === 0) this.start();
    const { module } = job.image;
    let id = this.modules.get(module);
    if (id === undefined) {
      this.modules.set(module, (id = this.moduleCount++));
      if (this.modules.size > REMEMBERED_MODULES) {
        this.modules.delete(this.modules.keys().next().value!);
      }
      const message: ThreadMessage = { id, module };
      for (const { port } of this.helpers) port.postMessage(message);
    }
    const count = numbersOf(job);
    const address = this.numbers.atLeast(8 * count);
    showJob(job, generation, id, this.control, heap().view(Float64Array, address, count));
  }

  private wake(generation: number): void {
    Atomics.store(this.control, CONTROL.generation, generation);
    Atomics.notify(this.control, CONTROL.generation);
  }

  /** @throws when a thread has died in the middle of a piece: this one goes on alone then */
  private wait(pieces: number, tick: (pieces: number) => void): void {
    let [seen, since] = [-1, 0];
    for (;;) {
      const done = Atomics.load(this.control, CONTROL.done);
      if (done >= pieces) return;
      if (done !== seen) [seen, since] = [done, performance.now()];
      if (performance.now() - since > this.patience) {
        this.alone = Infinity;
        throw new ThreadLost(
          "a thread that helped has ended in the middle of its work; run this again",
        );
      }
      // The last pieces of others end soon, mostly: being woken takes longer.
      waitAwake(this.control, CONTROL.done, done);
      Atomics.wait(this.control, CONTROL.done, done, WAIT_MS);
      tick(Atomics.load(this.control, CONTROL.done));
    }
  }
}

/**
 * Threads that help this one, from the first large kernel on; null where memory cannot be shared.
 * They end with this thread.
 * @param threads this one included
 * @param file `thread.node.ts` as it is built
 * @param patience milliseconds without any progress after which a thread is taken to be dead
 */
export function startCrew(
  threads: number,
  file: URL,
  patience = GIVEN_UP_MS,
): (Crew & { stop(): Promise<void> }) | null {
  if (threads < 2 || !features().simd || !features().shared) return null;
  return new NodeCrew(threads, file, patience);
}

function startHelper(file: URL, start: Omit<ThreadStart, "port">, lost: () => void): Helper {
  const { port1, port2 } = new MessageChannel();
  const workerData: ThreadStart = { ...start, port: port2 };
  const worker = new Worker(file, { workerData, transferList: [port2] });
  worker.on("error", lost);
  worker.unref();
  port1.unref();
  return { worker, port: port1 };
}

/** At most so many threads work on one kernel: memory is no faster for more. */
const MOST_THREADS = 4;

/** Lets kernels of this thread use as many processors as there are, up to four. */
export function useProcessors(file: URL): void {
  useCrew(startCrew(Math.min(availableParallelism(), MOST_THREADS), file));
}
