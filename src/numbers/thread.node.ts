/** A thread of a crew: sleeps until there is a job, does pieces of it, and sleeps again. */
import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { CrewJob } from "./crew.ts";
import { CONTROL, REMEMBERED_MODULES, waitAwake, workOn } from "./crewWork.ts";

/** What a thread is started with. */
export interface ThreadStart {
  readonly control: Int32Array;
  readonly memory: WebAssembly.Memory;
  readonly port: MessagePort;
}

/** A job, with its module the first time that this thread is to know it. */
export interface ThreadMessage {
  readonly generation: number;
  readonly moduleId: number;
  readonly module: WebAssembly.Module | null;
  readonly job: Omit<CrewJob, "image">;
}

const { control, memory, port } = workerData as ThreadStart;
const modules = new Map<number, WebAssembly.Module>();
Atomics.add(control, CONTROL.started, 1);
let seen = 0;
for (;;) {
  waitAwake(control, CONTROL.generation, seen);
  Atomics.wait(control, CONTROL.generation, seen);
  seen = Atomics.load(control, CONTROL.generation);
  for (;;) {
    const received = receiveMessageOnPort(port) as { message: ThreadMessage } | undefined;
    if (received === undefined) break;
    const { generation, moduleId, job } = received.message;
    if (received.message.module !== null) {
      modules.set(moduleId, received.message.module);
      if (modules.size > REMEMBERED_MODULES) modules.delete(modules.keys().next().value!);
    }
    const image = { module: modules.get(moduleId)!, memory, constants: 0 };
    workOn({ ...job, image }, generation, control, () => {
      Atomics.add(control, CONTROL.helped, 1);
    });
  }
}
