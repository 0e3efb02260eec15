// Acrobot-v1: two links hang from each other, and only the joint between them has a motor; the tip has to swing above a line (Sutton
// 1996). Equations "of the book" (Sutton and Barto), integrated by the fourth-order Runge-Kutta method, as in Gymnasium.

import type { Canvas, Window } from '../drawing/canvas.js';
import { EnvironmentBase, type Outcome } from '../environment.js';
import { Box, Discrete } from '../spaces.js';

/** Seconds a step. */
const STEP = 0.2;
const GRAVITY = 9.8;
/** Both links: 1 long, mass 1, centre of mass in the middle, moment of inertia 1. */
const CENTRE = 0.5;
const MOST_SPEED_1 = 4 * Math.PI;
const MOST_SPEED_2 = 9 * Math.PI;

type State = readonly number[];

/** How fast angles and angular speeds change, for a torque at the joint. */
function change([angle1, angle2, speed1, speed2]: State, torque: number): State {
  const [cos2, sin2] = [Math.cos(angle2), Math.sin(angle2)];
  const d1 = CENTRE ** 2 + (1 + CENTRE ** 2 + 2 * CENTRE * cos2) + 1 + 1;
  const d2 = CENTRE ** 2 + CENTRE * cos2 + 1;
  const phi2 = CENTRE * GRAVITY * Math.cos(angle1 + angle2 - Math.PI / 2);
  const phi1 =
    -CENTRE * speed2 ** 2 * sin2 -
    2 * CENTRE * speed2 * speed1 * sin2 +
    (CENTRE + 1) * GRAVITY * Math.cos(angle1 - Math.PI / 2) +
    phi2;
  const turn2 = (torque + (d2 / d1) * phi1 - CENTRE * speed1 ** 2 * sin2 - phi2) / (CENTRE ** 2 + 1 - d2 ** 2 / d1);
  return [speed1, speed2, -(d2 * turn2 + phi1) / d1, turn2];
}

function rungeKutta(state: State, torque: number, step: number): number[] {
  const ahead = (slope: State, by: number): State => state.map((value, i) => value + by * slope[i]);
  const k1 = change(state, torque);
  const k2 = change(ahead(k1, step / 2), torque);
  const k3 = change(ahead(k2, step / 2), torque);
  const k4 = change(ahead(k3, step), torque);
  return state.map((value, i) => value + (step / 6) * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]));
}

/** Into [−π, π]. */
function wrap(angle: number): number {
  let wrapped = angle;
  while (wrapped > Math.PI) wrapped -= 2 * Math.PI;
  while (wrapped < -Math.PI) wrapped += 2 * Math.PI;
  return wrapped;
}

const clamp = (value: number, most: number): number => Math.min(Math.max(value, -most), most);

/**
 * Observation: cosine and sine of both angles (the second from the first link's direction), and both angular speeds. Actions: torques −1, 0
 * and 1. Reward −1 a step, 0 for the one with which the tip is a link's length above the support.
 */
export class Acrobot extends EnvironmentBase {
  readonly observationSpace = new Box(
    [-1, -1, -1, -1, -MOST_SPEED_1, -MOST_SPEED_2],
    [1, 1, 1, 1, MOST_SPEED_1, MOST_SPEED_2],
  );
  readonly actionSpace = new Discrete(3);
  /** Both angles (0 hangs down), both angular speeds. */
  override values: readonly number[] = [0, 0, 0, 0];

  protected begin(): void {
    this.values = Array.from({ length: 4 }, () => Math.fround(this.random.between(-0.1, 0.1)));
  }

  protected observe(): Float32Array {
    const [angle1, angle2, speed1, speed2] = this.values;
    return Float32Array.of(Math.cos(angle1), Math.sin(angle1), Math.cos(angle2), Math.sin(angle2), speed1, speed2);
  }

  protected advance(action: number): Outcome {
    const next = rungeKutta(this.values, action - 1, STEP);
    const [angle1, angle2] = [wrap(next[0]), wrap(next[1])];
    this.values = [angle1, angle2, clamp(next[2], MOST_SPEED_1), clamp(next[3], MOST_SPEED_2)];
    const terminated = -Math.cos(angle1) - Math.cos(angle2 + angle1) > 1;
    return { reward: terminated ? 0 : -1, terminated };
  }

  protected override window(): Window {
    return { left: -2.2, right: 2.2, bottom: -2.2, top: 2.2, width: 220, height: 220 };
  }

  protected override draw(canvas: Canvas): void {
    const [angle1, angle2] = this.values;
    const elbow = [Math.sin(angle1), -Math.cos(angle1)] as const;
    const tip = [elbow[0] + Math.sin(angle1 + angle2), elbow[1] - Math.cos(angle1 + angle2)] as const;
    canvas.line(
      [
        [-2.2, 1],
        [2.2, 1],
      ],
      0.02,
      [120, 120, 120],
    );
    canvas.line([[0, 0], elbow, tip], 0.14, [0, 150, 150]);
    for (const [x, y] of [[0, 0], elbow]) canvas.disc(x, y, 0.1, [200, 180, 0]);
  }
}
