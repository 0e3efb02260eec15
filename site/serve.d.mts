/** Serves a folder of static files to this machine alone; → the address, and how to end it. */
export function serve(
  folder: string,
  options?: { readonly port?: number; readonly isolated?: boolean },
): Promise<{ readonly url: string; close(): void }>;
