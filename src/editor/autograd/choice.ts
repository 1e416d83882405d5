/** Which autograd libraries run a loss, as the user last chose. */
import * as vscode from "vscode";
import type { AutogradBackend, AutogradDevice, AutogradWish } from "../../session/autograd/job.ts";

/** Where a workspace remembers its choice. */
const KEY = "dice-gradient.autograd";

interface Choice extends vscode.QuickPickItem {
  /** Null for the library that the loss is written for. */
  readonly backend: AutogradBackend | null;
  readonly device: AutogradDevice;
}

const CHOICES: readonly Choice[] = [
  {
    label: "The loss's own library",
    description: "the one that its code is written for",
    backend: null,
    device: "cpu",
  },
  { label: "PyTorch", description: "on the CPU", backend: "torch", device: "cpu" },
  { label: "PyTorch on CUDA", description: "on the GPU", backend: "torch", device: "cuda" },
  { label: "TensorFlow", description: "GradientTape", backend: "tensorflow", device: "cpu" },
  { label: "JAX", description: "value_and_grad, 64 bits enabled", backend: "jax", device: "cpu" },
  {
    label: "HIPS Autograd",
    description: "for losses written in NumPy",
    backend: "autograd",
    device: "cpu",
  },
];

export class BackendChoice {
  private readonly memory: vscode.Memento;

  constructor(memory: vscode.Memento) {
    this.memory = memory;
  }

  /** The last choice; asks when there is none yet. Null when the user dismisses the question. */
  async get(): Promise<AutogradWish | null> {
    return this.memory.get<AutogradWish>(KEY) ?? this.ask();
  }

  /** Asks, and remembers the answer. Several libraries run one after the other, side by side in the report. */
  async ask(): Promise<AutogradWish | null> {
    const before = this.memory.get<AutogradWish>(KEY) ?? { backends: null, devices: ["cpu"] };
    const picked = await vscode.window.showQuickPick(
      CHOICES.map((choice) => ({ ...choice, picked: isIn(choice, before) })),
      {
        title: "Run in Python with",
        placeHolder: "Which libraries shall differentiate the loss?",
        canPickMany: true,
        matchOnDescription: true,
      },
    );
    if (picked === undefined || picked.length === 0) return null;
    const wish = wishOf(picked);
    await this.memory.update(KEY, wish);
    return wish;
  }
}

function isIn({ backend, device }: Choice, { backends, devices }: AutogradWish): boolean {
  if (backend === null || backends === null) return backend === backends;
  return backends.includes(backend) && (backend !== "torch" || devices.includes(device));
}

/** Libraries that are named are what is wanted, also when the loss's own is ticked beside them. */
function wishOf(picked: readonly Choice[]): AutogradWish {
  const named = picked.flatMap((c) => (c.backend === null ? [] : [c.backend]));
  const devices = picked.filter((c) => c.backend === "torch").map((c) => c.device);
  return {
    backends: named.length === 0 ? null : [...new Set(named)],
    devices: devices.length === 0 ? ["cpu"] : devices,
  };
}
