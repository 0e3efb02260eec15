// The thread that runs the C compiler: a compiler may take seconds, and the thread of the caller must not wait for it.
// It answers through shared memory, because a training loop may not return to its event loop for a long time.
// `serveCompiler` is turned into text and started in a worker; it refers to nothing outside itself.

/** What is to be compiled. */
export interface CompileJob {
  readonly command: string;
  readonly flags: readonly string[];
  readonly source: string;
  readonly folder: string;
  readonly key: string;
  readonly timeout: number;
  readonly mostBytes: number;
  /** Word 0: 0 pending, 1 done, 2 failed; word 1: bytes of text, which follows (the file's path or the reason). */
  readonly answer: SharedArrayBuffer;
}

export const ANSWER_BYTES = 8 + 2048;

/** The port of a worker, as far as it is used here. */
interface Port {
  on(event: 'message', listener: (job: CompileJob) => void): void;
}

export function serveCompiler(port: Port, getModule: NodeJS.Process['getBuiltinModule'], pid: number): void {
  const fs = getModule('node:fs');
  const { join } = getModule('node:path');
  const { createHash } = getModule('node:crypto');
  const { execFileSync } = getModule('node:child_process');
  port.on('message', (job) => {
    const words = new Int32Array(job.answer, 0, 2);
    const temporary = join(job.folder, `${job.key}.${pid}.tmp`);
    let [state, text] = [2, ''];
    try {
      const compiler = [job.command, ...job.flags, '-x', 'c', '-', '-o', temporary, '-lpthread', '-ldl'];
      // Training goes on meanwhile and meets at barriers: it must not lose a core.
      execFileSync('nice', ['-n', '10', ...compiler], {
        input: job.source,
        timeout: job.timeout,
        killSignal: 'SIGKILL',
        stdio: ['pipe', 'ignore', 'pipe'],
        cwd: job.folder,
      });
      // The name holds the digest of the contents: one renaming publishes both.
      const digest = createHash('sha256').update(fs.readFileSync(temporary)).digest('hex');
      const path = join(job.folder, `${job.key}-${digest}.so`);
      fs.chmodSync(temporary, 0o600);
      fs.renameSync(temporary, path);
      [state, text] = [1, path];
      // The oldest files make room; one that another process has loaded stays loaded there.
      const files = fs.readdirSync(job.folder).map((name) => {
        const file = join(job.folder, name);
        const { size, mtimeMs } = fs.statSync(file, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: Infinity };
        return { file, size, mtimeMs };
      });
      let total = files.reduce((sum, { size }) => sum + size, 0);
      for (const { file, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
        if (total <= job.mostBytes || file === path) break;
        fs.rmSync(file, { force: true });
        total -= size;
      }
    } catch (error) {
      const { stderr, message } = error as { stderr?: Uint8Array; message?: string };
      if (state === 2) text = (stderr?.toString().trim() || message) ?? String(error);
      fs.rmSync(temporary, { force: true });
    }
    const bytes = new TextEncoder().encode(text).subarray(0, job.answer.byteLength - 8);
    new Uint8Array(job.answer, 8, bytes.length).set(bytes);
    words[1] = bytes.length;
    Atomics.store(words, 0, state);
    Atomics.notify(words, 0);
  });
}
