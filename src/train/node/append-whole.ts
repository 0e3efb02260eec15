// Appending all or nothing: what a full disk has cut off is taken back, so that the next piece does not begin in the middle of
// a line. Asynchronous for the record of a run, synchronous for loggers that write rarely.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

const { fstatSync, ftruncateSync, writeSync } = process.getBuiltinModule('node:fs');
const { open } = process.getBuiltinModule('node:fs/promises');

/** Appends to the file, which is made if need be; `flush` brings it to the disk. */
export async function appendWhole(path: string, text: string, flush = false): Promise<void> {
  const file = await open(path, 'a');
  try {
    const { size } = await file.stat();
    try {
      await file.writeFile(text);
    } catch (error) {
      await file.truncate(size).catch(() => {}); // the error to be told is the first one
      throw error;
    }
    if (flush) await file.sync();
  } finally {
    await file.close();
  }
}

/** The same with an open file. */
export function appendWholeSync(file: number, bytes: Uint8Array): void {
  const { size } = fstatSync(file);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
  } catch (error) {
    try {
      ftruncateSync(file, size);
    } catch {
      // the error to be told is the first one
    }
    throw error;
  }
}
