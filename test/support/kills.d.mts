export function killAndResume(options: {
  readonly cwd: string;
  readonly kills: number;
  readonly seed?: number;
  readonly epochs?: number;
  readonly spread?: number;
}): Promise<{ readonly killed: number; readonly epochs: number; readonly events: number }>;
