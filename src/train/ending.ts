// What ends a run before its time: its signal, or a call of stop(). With other processes it ends on all of them after the
// same update: each adds its wishes to the numbers of an update, and does what the sum says.

export class Ending {
  private readonly signal: AbortSignal | undefined;
  private readonly isShared: boolean;
  private wantsStop = false;
  private isAbortAgreed = false;
  private isStopAgreed = false;

  constructor(signal: AbortSignal | undefined, processes: number) {
    this.signal = signal;
    this.isShared = processes > 1;
  }

  /** Forgets what ended the run before. */
  reset(): void {
    [this.wantsStop, this.isAbortAgreed, this.isStopAgreed] = [false, false, false];
  }

  stop(): void {
    this.wantsStop = true;
  }

  get isAborted(): boolean {
    return this.isShared ? this.isAbortAgreed : this.signal?.aborted === true;
  }

  get isStopped(): boolean {
    return this.isShared ? this.isStopAgreed : this.wantsStop;
  }

  /** What this process wants, to be added up over all of them. */
  wishes(): [aborted: number, stopped: number] {
    return [Number(this.signal?.aborted === true), Number(this.wantsStop)];
  }

  /** What one process wants, all do. */
  agree([aborted, stopped]: readonly number[]): void {
    [this.isAbortAgreed, this.isStopAgreed] = [aborted > 0, stopped > 0];
  }
}
