// Writes the graph of the model that is being trained into the folder of its run. What `forward` is given is seen in the first step, by hooks that
// go again with it; the pass that is drawn is one of its own, in evaluation mode, of which nothing is computed. Where there can be no such pass, or
// no file, a notice says so and the training goes on without a graph.

import type { HookHandle, Module } from '../nn/module.js';
import { Tensor } from '../tensor/tensor.js';
import { zeros } from '../tensor/creation.js';
import { runPending } from '../tensor/library.js';
import { writeCalls } from './graph.js';
import type { Callback, TrainerHandle } from './options.js';
import type { ModuleCall } from './logging/model-graph.js';

/** A model that is called in more pieces than these by whoever trains it has no graph that would tell more than the list of its layers. */
const MOST_PIECES = 4;

export class GraphRecorder implements Callback {
  private readonly folder: string;
  private readonly handles: HookHandle[] = [];
  private readonly calls = new Map<string, ModuleCall>();
  /** How many calls are under way in each other: the outermost ones are what is drawn. */
  private depth = 0;

  /** `folder` is the run's. */
  constructor(folder: string) {
    this.folder = folder;
  }

  onFitStart({ model }: TrainerHandle): void {
    for (const [path, module] of model.namedModules()) if ('forward' in module) this.watch(path, module);
  }

  async onStep(trainer: TrainerHandle): Promise<void> {
    if (this.handles.length === 0) return;
    this.end();
    const calls = [...this.calls.values()];
    this.calls.clear();
    if (calls.length === 0 || calls.length > MOST_PIECES) return;
    runPending(); // what fails there is the training, and not the drawing
    try {
      await writeCalls(this.folder, calls);
    } catch (error) {
      const [reason] = String(error instanceof Error ? error.message : error).split('\n');
      const text = `this run has no graph of its model: ${reason}`;
      await trainer.emit({ event: 'notice', step: trainer.step, code: 'no-graph', text });
    }
  }

  onFitEnd(): void {
    this.end();
  }

  private watch(path: string, module: Module): void {
    const before = module.registerForwardPreHook((_module, inputs) => {
      if (this.depth++ === 0 && !this.calls.has(path))
        this.calls.set(path, { path, module, inputs: inputs.map(likeGiven) });
    });
    this.handles.push(
      before,
      module.registerForwardHook(() => void this.depth--),
    );
  }

  private end(): void {
    for (const handle of this.handles.splice(0)) handle.remove();
  }
}

/** Zeros in the place of tensors, which are those of one step; all else as it was given. */
function likeGiven(value: unknown): unknown {
  if (value instanceof Tensor) return zeros(value.shape, { dtype: value.dtype, device: value.device });
  if (Array.isArray(value)) return value.map(likeGiven);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, likeGiven(one)]));
}
