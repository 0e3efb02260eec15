// Which flags V8 is given while kernels are compiled. Node may set them in a running process, but V8 promises nothing
// about them: a combination that is fine in one version ends the process in another. So this is a table of versions that
// were tried, and whatever is not in it (a newer Node, Electron, Bun, Deno, a browser) goes without.
//
// Why at all: V8 compiles WebAssembly with its baseline compiler (Liftoff) at first, whose code for kernels is 3 to 8 times slower,
// and replaces a function between two calls. Kernels are few, small, and walk everything in one call.
// What going without costs, by measurement (WebAssembly tier, medians; first run minus the later ones, that is once a program):
//   matmul 1536 × 1536 × 1536           +0.7 s   (0.9 s instead of 0.2 s; Node 20 to 26 alike)
//   convolution 5×5, 32 → 64, 32×32×32  +0.6 s   (0.7 s instead of 0.1 s)
//   a GRU, softmax, a small perceptron or convolutional network: nothing that shows; compiling is shorter by as much
// From the second or third run on there is no difference.
//
// V8's versions, which a line of Node keeps to its end:
//   11.3  Node 20  knows relaxed SIMD (the fused multiply-add) behind a flag only
//   12.4  Node 22  relaxed SIMD by default from here on
//   13.6  Node 24
//   14.1  Node 25  } functions are inlined by what their Liftoff code has counted. Where a function has none, the process
//   14.6  Node 26  } ends ("Check failed: function_feedback != …"): at the first kernel that calls another. With
//                  --no-wasm-inlining as well it goes on, but flags belong to the process: a thread that compiles other
//                  WebAssembly while they are set and taken back (undici does, in any fetch) was seen to end it within
//                  seconds. No flag is worth that: these versions are not in the table.

/** A flag, the word by which a user's own choice of it is recognised, and what takes it back. */
export interface V8Flag {
  readonly set: string;
  readonly topic: string;
  readonly reset: string;
}

const flag = (set: string, topic: string, reset: string): V8Flag => ({ set, topic, reset });
const RELAXED_SIMD = flag('--experimental-wasm-relaxed-simd', 'relaxed-simd', '--no-experimental-wasm-relaxed-simd');
/** Optimised code at once, for all functions of a module: 36 ms for 158 kB. */
const OPTIMISED = [
  flag('--no-liftoff', 'liftoff', '--liftoff'),
  flag('--no-wasm-lazy-compilation', 'wasm-lazy-compilation', '--wasm-lazy-compilation'),
];

const FLAGS: Readonly<Record<string, readonly V8Flag[]>> = {
  '11.3': [RELAXED_SIMD, ...OPTIMISED],
  '12.4': OPTIMISED,
  '13.6': OPTIMISED,
};

/** What a process may set: `versions` is its `process.versions`, `options` what the user gave to Node. */
export function v8Flags(versions: Readonly<Record<string, string | undefined>>, options: string): readonly V8Flag[] {
  // These call themselves Node and name a V8 that they do not have, or have not as Node has it.
  if (['bun', 'deno', 'electron', 'nw'].some((host) => versions[host] !== undefined)) return [];
  const [version] = /^\d+\.\d+/.exec(versions['v8'] ?? '') ?? [''];
  const chosen = options.replaceAll('_', '-');
  return (FLAGS[version] ?? []).filter(({ topic }) => !chosen.includes(topic));
}
