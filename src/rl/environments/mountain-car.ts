// MountainCar-v0 and MountainCarContinuous-v0: a car in a valley is too weak to climb the hill on the right and has to swing (Moore
// 1990). Dynamics as in Gymnasium; the continuous one keeps its state in float32, as there.

import type { Canvas, Window } from '../drawing/canvas.js';
import { EnvironmentBase, type Outcome } from '../environment.js';
import { Box, Discrete } from '../spaces.js';

const LEFT = -1.2;
const RIGHT = 0.6;
const MOST_SPEED = 0.07;

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);
const heightAt = (position: number): number => Math.sin(3 * position) * 0.45 + 0.55;

abstract class Valley<A> extends EnvironmentBase<Float32Array, A> {
  readonly observationSpace = new Box([LEFT, -MOST_SPEED], [RIGHT, MOST_SPEED]);
  /** Position, speed. */
  override values: readonly number[] = [0, 0];
  protected abstract readonly goal: number;

  protected begin(): void {
    this.values = [this.random.between(-0.6, -0.4), 0];
  }

  protected observe(): Float32Array {
    return Float32Array.from(this.values);
  }

  /** The state after a step with this speed; the wall on the left takes all speed. */
  protected move(speed: number, round: (value: number) => number): boolean {
    const limited = round(clamp(speed, -MOST_SPEED, MOST_SPEED));
    const position = round(clamp(round(this.values[0] + limited), LEFT, RIGHT));
    this.values = [position, position === round(LEFT) && limited < 0 ? 0 : limited];
    return position >= this.goal && this.values[1] >= 0;
  }

  protected override window(): Window {
    return { left: LEFT, right: RIGHT, bottom: 0, top: 1.2, width: 300, height: 200 };
  }

  protected override draw(canvas: Canvas): void {
    const hill = Array.from({ length: 101 }, (_, i) => {
      const x = LEFT + ((RIGHT - LEFT) * i) / 100;
      return [x, heightAt(x)] as const;
    });
    canvas.line(hill, 0.01, [90, 90, 90]);
    const top = heightAt(this.goal);
    canvas.rectangle(this.goal, top, this.goal + 0.008, top + 0.16, [60, 60, 60]);
    canvas.rectangle(this.goal + 0.008, top + 0.1, this.goal + 0.08, top + 0.16, [204, 178, 40]);
    const x = this.values[0];
    canvas.disc(x, heightAt(x) + 0.05, 0.05, [40, 60, 120]);
  }
}

/** Observation: position and speed. Actions: 0 to the left, 1 nothing, 2 to the right. Reward −1 a step until the flag at 0.5 is reached. */
export class MountainCar extends Valley<number> {
  readonly actionSpace = new Discrete(3);
  protected readonly goal = 0.5;

  protected advance(action: number): Outcome {
    const [position, speed] = this.values;
    const pushed = speed + ((action - 1) * 0.001 + Math.cos(3 * position) * -0.0025);
    return { reward: -1, terminated: this.move(pushed, (value) => value) };
  }
}

/** As MountainCar, with a force from −1 to 1. Reward 100 at the flag (at 0.45), less a tenth of the square of each force. */
export class MountainCarContinuous extends Valley<Float32Array> {
  readonly actionSpace = new Box([-1], [1]);
  protected readonly goal = 0.45;

  protected advance([force]: Float32Array): Outcome {
    const [position, speed] = this.values;
    // rounded where NumPy rounds: after some hundred steps the difference could be seen
    const { fround } = Math;
    const slope = fround(0.0025 * Math.cos(fround(3 * position)));
    const pushed = fround(speed + fround(fround(force * fround(0.0015)) - slope));
    const terminated = this.move(pushed, fround);
    return { reward: (terminated ? 100 : 0) - 0.1 * force ** 2, terminated };
  }
}
