// From a graph to code, or from the persistent cache: what a graph becomes on a tier, without the loop IR, as plain data.
// Input: graphs. Output: WebAssembly or C, and what is needed to run it.

import { type CompiledGraph, compileGraph } from '../../../compile/compile.js';
import { emitProgram as emitC } from '../../../emit/c/emit.js';
import { type EmitOptions, emitProgram as emitWebAssembly } from '../../../emit/wasm/emit.js';
import type { Node } from '../../../ir/node.js';
import type { Program } from '../../../loop/loop.js';
import { printProgram } from '../../../loop/print.js';
import { type Target, WASM_TARGET } from '../../../loop/target.js';
import { verifyProgram } from '../../../loop/verify.js';
import { debug, debugLevel } from '../../debug.js';
import type { Graph } from '../../device.js';
import { nodeProcess } from '../native/host.js';
import { trialWords } from '../native/trial.js';
import { fingerprint } from './fingerprint.js';
import { PersistentCache } from './persistent-cache.js';
import { withoutCode } from './without-code.js';

export interface TranslationOptions {
  readonly threads: number;
  readonly fuse: boolean | undefined;
  readonly leastStreamed: number | undefined;
  /** Every program is checked before it is printed, and none comes from the cache. */
  readonly verify: boolean;
  /** Whether it is looked for in the persistent cache, and kept there. */
  readonly keeps: boolean;
}

export interface WebAssemblyCode {
  /** Without code: names, sizes, the argument table, and the nodes that errors name. */
  readonly compiled: CompiledGraph;
  readonly bytes: Uint8Array;
}

/** What computes inputs of the main program that are kept from run to run. */
export interface WebAssemblyPrologue {
  readonly code: WebAssemblyCode;
  readonly kept: readonly Pick<Node, 'op' | 'shape' | 'dtype' | 'size'>[];
  readonly watched: readonly number[];
}

export interface WebAssemblyTranslation {
  readonly main: WebAssemblyCode;
  readonly prologue: WebAssemblyPrologue | undefined;
}

export interface CTranslation {
  readonly compiled: CompiledGraph;
  readonly source: string;
  /** What its trial runs on (native/trial.ts). */
  readonly trial: Uint32Array;
  /** No other program has to run before it. */
  readonly isWhole: boolean;
}

export function toWebAssembly(graph: Graph, options: TranslationOptions & EmitOptions): WebAssemblyTranslation {
  const { threads, fuse, leastStreamed, verify, relaxed, shared, maxPages } = options;
  return keeping('WebAssembly', graph, options, [relaxed, shared, maxPages], () => {
    const onPass = (name: string, _: unknown, ms: number): void =>
      debug(4, () => `  pass ${name}: ${ms.toFixed(2)} ms`);
    const how = { target: WASM_TARGET, threads, fuse, leastStreamed, verify };
    const whole = compileGraph(graph, { ...how, onPass: debugLevel() < 4 ? undefined : onPass });
    const code = (compiled: CompiledGraph): WebAssemblyCode => {
      if (verify) verifyProgram(compiled.program);
      debug(3, () => printProgram(compiled.program));
      const bytes = emitWebAssembly(compiled.program, { relaxed, shared, maxPages });
      return { compiled: withoutCode(compiled), bytes };
    };
    const main = code(whole);
    if (whole.prologue === undefined) return { main, prologue: undefined };
    const { compiled, watched } = whole.prologue;
    const kept = whole.prologue.kept.map(({ op, shape, dtype, size }) => ({ op, shape, dtype, size }));
    return { main, prologue: { code: code(compiled), kept, watched } };
  });
}

export function toC(
  graph: Graph,
  options: TranslationOptions & { readonly target: Target; readonly profile: boolean },
): CTranslation {
  const { target, profile, threads, fuse, leastStreamed, verify } = options;
  return keeping('C', graph, options, [target, profile], () => {
    const compiled = compileGraph(graph, { target, threads, fuse, leastStreamed, verify });
    if (verify) verifyProgram(compiled.program);
    const source = emitC(compiled.program, { lanes: target.lanes, profile });
    const isWhole = compiled.prologue === undefined;
    return { compiled: withoutCode(compiled), source, trial: trialWords(compiled.program), isWhole };
  });
}

/** What takes less is not worth a file: it is made again sooner than it is found. */
const LEAST_MS = 8;

function keeping<T extends WebAssemblyTranslation | CTranslation>(
  language: string,
  graph: Graph,
  { threads, fuse, leastStreamed, verify, keeps }: TranslationOptions,
  own: readonly unknown[],
  translate: () => T,
): T {
  const start = performance.now();
  const cache = keeps && !verify && debugLevel() < 3 ? persistentCache() : undefined;
  const text = cache === undefined ? undefined : fingerprint(graph);
  const how = JSON.stringify([threads, fuse ?? true, leastStreamed ?? null, ...own]);
  const key = text === undefined ? undefined : cache?.key(language, how, text);
  const found = key === undefined ? undefined : (cache?.find(key) as T | undefined); // whose digest says what it is
  const translation = found ?? translate();
  const ms = performance.now() - start;
  debug(2, () => describe(translation, graph, `${found === undefined ? 'compiled' : 'found'} in ${ms.toFixed(1)} ms`));
  if (found === undefined && key !== undefined && ms >= LEAST_MS) cache?.store(key, translation);
  return translation;
}

let shared: PersistentCache | undefined | null = null;

/** One for the process, made when the first program is. */
function persistentCache(): PersistentCache | undefined {
  return shared === null ? (shared = PersistentCache.open(nodeProcess())) : shared;
}

function describe(translation: WebAssemblyTranslation | CTranslation, { nodes }: Graph, how: string): string {
  if ('source' in translation) return `native source of ${translation.source.length} bytes ${how}`;
  const { kernels, stages, arenaBytes }: Program = translation.main.compiled.program;
  const lines = kernels.map(
    ({ name, shapes, flops, bytes }) =>
      `  ${name} ${shapes}: ${(flops / 1e6).toFixed(3)} MFLOP, ${(bytes / 1e6).toFixed(3)} MB`,
  );
  const size = `${nodes.length} nodes, ${kernels.length} kernels in ${stages.length} stages, arena ${arenaBytes} bytes`;
  return [`${how}: ${size}`, ...lines].join('\n');
}
