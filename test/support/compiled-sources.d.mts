import type { Plugin } from 'vitest/config';

/** A plugin of Vite: who imports a source gets the compiled one. Compiles what has changed since the last time. */
export function compiledSources(): Promise<Plugin>;
