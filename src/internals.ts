// Inner parts for the bench, and for tests that start processes of their own on the built package. Not a part of it: npm does not
// publish this file, and nothing imports it.

export { startNodeThread } from './data/node/thread.js';
export { CIFAR10 } from './data/sets/cifar.js';
export { MNIST } from './data/sets/mnist.js';
export { SHAKESPEARE } from './data/sets/tiny-shakespeare.js';
export { CpuDevice } from './engine/device/cpu/device.js';
export { NativeTier, nativeToolchain } from './engine/device/cpu/native/tier.js';
export { trialWords } from './engine/device/cpu/native/trial.js';
export * as c from './engine/emit/c/emit.js';
export * as wasm from './engine/emit/wasm/emit.js';
export { registerDevice } from './engine/engine.js';
export * as loop from './engine/loop/loop.js';
export { WASM_TARGET } from './engine/loop/target.js';
export { FolderLock } from './train/node/folder-lock.js';
