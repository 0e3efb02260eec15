// What the layers of a network make of one picture: every module that gives maps, in the order in which they end, and the first convolution.

import { Tensor, noGrad, realize } from '../../index.js';
import { Conv2d, type Module } from '../../nn/index.js';

export interface Layer {
  readonly name: string;
  /** Its class. */
  readonly kind: string;
  readonly module: Module;
  /** [1, K, h, w] of its last call. */
  readonly maps: Tensor;
  readonly calls: number;
}

export interface Seen {
  /** What the network gave, whatever that is. */
  readonly output: unknown;
  /** Modules that gave maps of more than one place. */
  readonly layers: readonly Layer[];
}

/** Runs the network on a picture [1, C, H, W] and watches. */
export async function watchLayers(network: Module, run: () => unknown): Promise<Seen> {
  const found = new Map<Module, Layer>();
  const handles = network.namedModules().map(([name, module]) =>
    module.registerForwardHook((_, __, output) => {
      if (!(output instanceof Tensor) || output.rank !== 4 || output.shape[2] * output.shape[3] < 2) return;
      const calls = 1 + (found.get(module)?.calls ?? 0);
      found.delete(module); // in the order of the last calls
      found.set(module, { name, kind: module.constructor.name, module, maps: output, calls });
    }),
  );
  try {
    const output = noGrad(run);
    const layers = [...found.values()];
    await realize(...layers.map(({ maps }) => maps));
    return { output, layers };
  } finally {
    for (const handle of handles) handle.remove();
  }
}

/** The first convolution, with its name; undefined where there is none. */
export function firstConvolution(network: Module): { readonly name: string; readonly weight: Tensor } | undefined {
  for (const [name, module] of network.namedModules())
    if (module instanceof Conv2d) return { name, weight: module.weight };
  return undefined;
}

/**
 * The layer that Grad-CAM looks at: the last that gives maps, is called once, and is not the network itself. What ends later contains it
 * (a whole body) or only passes it on.
 */
export function lastMaps(layers: readonly Layer[], network: Module): Layer | undefined {
  return layers.findLast(({ calls, module }) => calls === 1 && module !== network);
}
