import { fileFault } from '../errors.js';

/** All of it, however slowly it comes: reading at once would fail where nothing has come yet. */
export async function readStandardInput(): Promise<string> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of process.stdin) parts.push(part as Uint8Array);
  } catch (error) {
    throw fileFault('read', 'standard input', error);
  }
  return Buffer.concat(parts).toString('utf8');
}
