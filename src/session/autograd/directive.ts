/** `# dice-gradient: autograd=torch device=cuda`: a cell's wish that real autograd judges its calls. */
import { InspectionError } from "../inspect.ts";
import {
  AUTOGRAD_BACKENDS,
  type AutogradBackend,
  type AutogradDevice,
  type AutogradWish,
} from "./job.ts";

const LINE = /^[ \t]*#[ \t]*dice-gradient:[ \t]*(autograd\b.*)$/m;

/**
 * What a cell asks for, or null. `autograd` alone means the library that the loss is written for;
 * `autograd=torch` and `autograd=autograd,jax` name them; `device=cuda` runs PyTorch there, and
 * `device=cpu,cuda` on both.
 * @throws InspectionError for a library or a device that there is none of
 */
export function autogradWish(source: string): AutogradWish | null {
  const words = LINE.exec(source)?.[1]?.trim().split(/\s+/);
  if (words === undefined) return null;
  let backends: AutogradBackend[] | null = null;
  let devices: AutogradWish["devices"] = ["cpu"];
  for (const word of words) {
    const [name, value] = word.split("=", 2);
    if (name === "autograd") backends = value === undefined ? null : value.split(",").map(backend);
    else if (name === "device" && isDevices(value)) devices = value.split(",") as AutogradDevice[];
    else throw new InspectionError(`${word} is nothing that # dice-gradient: autograd knows`, HELP);
  }
  return { backends, devices };
}

function isDevices(text: string | undefined): text is string {
  return text !== undefined && /^(cpu|cuda)(,(cpu|cuda))?$/.test(text);
}

const HELP = `Write # dice-gradient: autograd, autograd=${AUTOGRAD_BACKENDS.join(" or autograd=")}, and device=cuda for the GPU.`;

export function backend(name: string): AutogradBackend {
  const found = AUTOGRAD_BACKENDS.find((b) => b === name);
  if (found === undefined) throw new InspectionError(`there is no autograd library ${name}`, HELP);
  return found;
}
