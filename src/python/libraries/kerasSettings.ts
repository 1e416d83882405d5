/** Keras's settings that losses depend on, one set a program; and what it notes about a tensor. */
import { parameter } from "../../expression/build.ts";
import type { DType } from "../dtypes.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import { type NumberValue, type TensorValue, symbolic } from "../values.ts";

interface Settings {
  floatx: DType;
  epsilon: number;
  imageDataFormat: string;
}

const settings = new WeakMap<Interpreter, Settings>();

function settingsOf(vm: Interpreter): Settings {
  let own = settings.get(vm);
  if (own === undefined) {
    own = { floatx: "float32", epsilon: 1e-7, imageDataFormat: "channels_last" };
    settings.set(vm, own);
  }
  return own;
}

export const floatx = (vm: Interpreter): DType => settingsOf(vm).floatx;
export const dataFormat = (vm: Interpreter): string => settingsOf(vm).imageDataFormat;

/** keras.backend.epsilon(), by that name in formulas. */
export function epsilon(vm: Interpreter): NumberValue {
  const value = settingsOf(vm).epsilon;
  return symbolic("float", parameter("epsilon", value), value);
}

/** Changes a setting so that it can be undone. */
export function configure(vm: Interpreter, change: Partial<Settings>): void {
  const own = settingsOf(vm);
  vm.remember({ born: 0 }, () => {
    const before = { ...own };
    return () => Object.assign(own, before);
  });
  Object.assign(own, change);
}

/**
 * The logits that Keras's own sigmoid and softmax attach to what they return: its cross-entropies
 * work on them, without clipping.
 */
export const attachedLogits = new WeakMap<TensorValue, TensorValue>();

/** The mask that Keras attaches to losses some of whose entries do not count. */
export const attachedMasks = new WeakMap<TensorValue, TensorValue>();
