// The trial: what the compiler has made runs once in a process of its own, on zeros, before this process loads it. A
// compiler for another processor, or one that is broken, then costs a child process and not the user's.
// Input: a program. Output: the words that tell the trial where everything lies; and the trial itself, in C.

import { ELEMENT_BYTES, type KernelCall, type Program } from '../../../loop/loop.js';
import { CONTROL } from '../threads/control.js';
import { SLACK } from '../heap.js';

const ALIGNMENT = 64;
/** Programs whose arguments take more than this are loaded without a run: the trial must not use up the memory. */
const MOST_BYTES = 2 ** 31;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Heap bytes, addresses of table, arena and scratch, then the table. Empty: too large to be tried. */
export function trialWords(program: Program): Uint32Array {
  const { argumentCount, arenaBytes, scratchBytes, stages, kernels } = program;
  const sizes = new Float64Array(argumentCount);
  const note = ({ kernel, slots }: KernelCall): void =>
    kernels[kernel].buffers.forEach(({ size, type }, i) => {
      const slot = slots[i];
      if (slot.kind === 'argument') sizes[slot.index] = Math.max(sizes[slot.index], ELEMENT_BYTES[type] * size);
    });
  for (const { calls } of stages) calls.forEach(note);
  let end: number = aligned(Math.max(CONTROL.end, SLACK));
  const place = (bytes: number): number => {
    const address = end;
    end += aligned(bytes) + ALIGNMENT;
    return address;
  };
  const [table, arena, scratch] = [place(4 * argumentCount), place(arenaBytes), place(scratchBytes)];
  const addresses = Array.from(sizes, place);
  end += SLACK;
  return Uint32Array.from(end > MOST_BYTES ? [] : [end, table, arena, scratch, ...addresses]);
}

/** `trial LIBRARY`: loads it and, if there are words on standard input, runs it. It exits with 0, or dies. */
export const TRIAL_SOURCE = `
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

typedef struct {
  int stages, kernels;
  void (*run)(int, int, int, int, char *, const unsigned *, unsigned, char *, void (*)(void *, int), void *);
} program;

static void mark(void *sync, int kernel) { (void)sync, (void)kernel; }

int main(int count, char **arguments) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  unsigned words[4];
  void *library = count == 2 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : 0;
  if (library == 0) {
    const char *reason = dlerror();
    fprintf(stderr, "%s", reason == 0 ? "no library was named" : reason);
    return 1;
  }
  if (fread(words, sizeof words, 1, stdin) != 1) return 0;
  const program *p = dlsym(library, "program");
  char *heap = mmap(0, words[0], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == 0 || heap == MAP_FAILED) {
    fprintf(stderr, "%s", p == 0 ? "it has no program" : "there is no memory for it");
    return 1;
  }
  unsigned *table = (unsigned *)(heap + words[1]);
  for (unsigned *word = table; fread(word, sizeof *word, 1, stdin) == 1;) word++;
  p->run(0, p->stages, 0, 1, heap, table, words[2], heap + words[3], mark, 0);
  return 0;
}
`;
