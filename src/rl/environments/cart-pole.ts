// CartPole-v1: a pole stands on a cart that is pushed to the left or to the right (Barto, Sutton and Anderson 1983). Dynamics and
// limits as in Gymnasium, with Euler's method.

import type { Canvas, Window } from '../drawing/canvas.js';
import { EnvironmentBase, type Outcome } from '../environment.js';
import { Box, Discrete } from '../spaces.js';

const GRAVITY = 9.8;
const CART_MASS = 1;
const POLE_MASS = 0.1;
const TOTAL_MASS = CART_MASS + POLE_MASS;
/** Half of the pole. */
const LENGTH = 0.5;
const MASS_LENGTH = POLE_MASS * LENGTH;
const FORCE = 10;
/** Seconds a step. */
const TAU = 0.02;
/** Where the episode ends: metres from the middle, and radians. */
const MOST_X = 2.4;
const MOST_ANGLE = (12 * 2 * Math.PI) / 360;

/**
 * Observation: position, speed, angle of the pole, its angular speed. Actions: 0 pushes to the left, 1 to the right. Reward 1 for each step,
 * the last one included; the episode ends when the pole leans by 12° or the cart leaves the track.
 */
export class CartPole extends EnvironmentBase {
  readonly observationSpace = new Box(
    [-2 * MOST_X, -Infinity, -2 * MOST_ANGLE, -Infinity],
    [2 * MOST_X, Infinity, 2 * MOST_ANGLE, Infinity],
  );
  readonly actionSpace = new Discrete(2);
  /** Position, speed, angle, angular speed. */
  override values: readonly number[] = [0, 0, 0, 0];

  protected begin(): void {
    this.values = Array.from({ length: 4 }, () => this.random.between(-0.05, 0.05));
  }

  protected observe(): Float32Array {
    return Float32Array.from(this.values);
  }

  protected advance(action: number): Outcome {
    const [x, speed, angle, turning] = this.values;
    const force = action === 1 ? FORCE : -FORCE;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const push = (force + MASS_LENGTH * turning ** 2 * sin) / TOTAL_MASS;
    const turn = (GRAVITY * sin - cos * push) / (LENGTH * (4 / 3 - (POLE_MASS * cos ** 2) / TOTAL_MASS));
    const acceleration = push - (MASS_LENGTH * turn * cos) / TOTAL_MASS;
    const next = [x + TAU * speed, speed + TAU * acceleration, angle + TAU * turning, turning + TAU * turn];
    this.values = next;
    return { reward: 1, terminated: Math.abs(next[0]) > MOST_X || Math.abs(next[2]) > MOST_ANGLE };
  }

  protected override window(): Window {
    return { left: -MOST_X, right: MOST_X, bottom: -0.3, top: 1.3, width: 360, height: 120 };
  }

  protected override draw(canvas: Canvas): void {
    const [x, , angle] = this.values;
    canvas.line(
      [
        [-MOST_X, 0],
        [MOST_X, 0],
      ],
      0.01,
      [90, 90, 90],
    );
    canvas.rectangle(x - 0.25, -0.12, x + 0.25, 0.12, [40, 60, 90]);
    const tip = [x + 2 * LENGTH * Math.sin(angle), 0.06 + 2 * LENGTH * Math.cos(angle)] as const;
    canvas.line([[x, 0.06], tip], 0.08, [202, 152, 101]);
    canvas.disc(x, 0.06, 0.05, [129, 132, 203]);
  }
}
