// What NABLA_DEBUG makes the engine say, on standard error: 1 devices and what they fall back to, 2 also each program with
// its kernels and each run with its time, 3 also the kernels' code, 4 also each compiler pass, whose result is verified.
// Reads the environment where there is one; in a browser `globalThis.NABLA_DEBUG` does the same.

interface Host {
  readonly NABLA_DEBUG?: unknown;
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

export function debugLevel(): number {
  const host = globalThis as Host;
  const level = Number(host.process?.env?.NABLA_DEBUG ?? host.NABLA_DEBUG ?? 0);
  return Number.isFinite(level) ? level : 0;
}

/** One line, or several, if the level asks for them; `text` is only called then. */
export function debug(level: number, text: () => string): void {
  if (debugLevel() >= level) console.error(text().replace(/^/gm, 'nabla: '));
}
