/** A thread of a crew: sleeps until there is a job, does pieces of it, and sleeps again. */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { CONTROL, REMEMBERED_MODULES, shownJob, waitAwake, workOn } from "./crewWork.ts";

/** What a thread is started with. */
export interface ThreadStart {
  readonly control: Int32Array;
  readonly memory: WebAssembly.Memory;
  readonly port: MessagePort;
}

/** A module that jobs are to name by a number. */
export interface ThreadMessage {
  readonly id: number;
  readonly module: WebAssembly.Module;
}

const { control, memory, port } = workerData as ThreadStart;
const modules = new Map<number, WebAssembly.Module>();
Atomics.add(control, CONTROL.started, 1);
let seen = 0;
for (;;) {
  Atomics.add(control, CONTROL.awake, 1);
  waitAwake(control, CONTROL.generation, seen);
  Atomics.sub(control, CONTROL.awake, 1);
  Atomics.wait(control, CONTROL.generation, seen);
  seen = Atomics.load(control, CONTROL.generation);
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: ThreadMessage } | undefined;
    if (received === undefined) break;
    modules.set(received.message.id, received.message.module);
    if (modules.size > REMEMBERED_MODULES) modules.delete(modules.keys().next().value!);
  }
  const job = shownJob(control, seen, memory, (id) => modules.get(id));
  // Otherwise another job took the place of the one that woke this thread: there is a new generation.
  if (job === null) continue;
  workOn(job, seen, control, () => {
    Atomics.add(control, CONTROL.helped, 1);
  });
}
