// Pendulum-v1: a pendulum with a motor at its support has to be swung up and kept there with little effort. As in Gymnasium.

import type { Canvas, Window } from '../drawing/canvas.js';
import { EnvironmentBase, type Outcome } from '../environment.js';
import { Box } from '../spaces.js';

const GRAVITY = 10;
/** Seconds a step. */
const STEP = 0.05;
const MOST_SPEED = 8;
const MOST_TORQUE = 2;

/** Into [−π, π). */
const normalise = (angle: number): number => {
  const turn = 2 * Math.PI;
  return ((((angle + Math.PI) % turn) + turn) % turn) - Math.PI;
};

/**
 * Observation: cosine and sine of the angle (0 is upright), angular speed. Action: a torque from −2 to 2. Reward −(angle² + 0.1 speed² + 0.001
 * torque²). The episode never ends by itself.
 */
export class Pendulum extends EnvironmentBase<Float32Array, Float32Array> {
  readonly observationSpace = new Box([-1, -1, -MOST_SPEED], [1, 1, MOST_SPEED]);
  readonly actionSpace = new Box([-MOST_TORQUE], [MOST_TORQUE]);
  /** Angle, angular speed. */
  override values: readonly number[] = [0, 0];

  protected begin(): void {
    this.values = [this.random.between(-Math.PI, Math.PI), this.random.between(-1, 1)];
  }

  protected observe(): Float32Array {
    const [angle, speed] = this.values;
    return Float32Array.of(Math.cos(angle), Math.sin(angle), speed);
  }

  protected advance([torque]: Float32Array): Outcome {
    const [angle, speed] = this.values;
    const cost = normalise(angle) ** 2 + 0.1 * speed ** 2 + 0.001 * torque ** 2;
    const pushed = speed + (((3 * GRAVITY) / 2) * Math.sin(angle) + Math.fround(3 * torque)) * STEP; // actions are float32
    const next = Math.min(Math.max(pushed, -MOST_SPEED), MOST_SPEED);
    this.values = [angle + next * STEP, next];
    return { reward: -cost, terminated: false };
  }

  protected override window(): Window {
    return { left: -1.2, right: 1.2, bottom: -1.2, top: 1.2, width: 180, height: 180 };
  }

  protected override draw(canvas: Canvas): void {
    const angle = this.values[0];
    canvas.line(
      [
        [0, 0],
        [Math.sin(angle), Math.cos(angle)],
      ],
      0.16,
      [204, 77, 77],
    );
    canvas.disc(Math.sin(angle), Math.cos(angle), 0.08, [204, 77, 77]);
    canvas.disc(0, 0, 0.08, [30, 30, 30]);
  }
}
