// Agents with a table: they differ in what they take the next state to be worth.

import { TableAgent } from './table-agent.js';

/**
 * Q-learning (Watkins 1989): the next state is worth its best action, whatever will be done there.
 *
 *     const agent = new QLearning(make('FrozenLake-v1'), { lr: 0.05 });
 *     agent.learn({ episodes: 5000 });
 */
export class QLearning extends TableAgent {
  protected target(reward: number, state: number): number {
    return reward + this.gamma * this.value(state);
  }
}

/** SARSA (Rummery and Niranjan 1994): the next state is worth the action that will be taken there, random ones included. */
export class Sarsa extends TableAgent {
  protected target(reward: number, state: number, next: number): number {
    return reward + this.gamma * this.q[state * this.actions + next];
  }
}

/** Expected SARSA (van Seijen et al. 2009): the mean over the actions that may be taken there. */
export class ExpectedSarsa extends TableAgent {
  protected target(reward: number, state: number, _next: number, epsilon: number): number {
    const own = this.q.subarray(state * this.actions, (state + 1) * this.actions);
    const mean = own.reduce((sum, value) => sum + value, 0) / this.actions;
    return reward + this.gamma * ((1 - epsilon) * this.value(state) + epsilon * mean);
  }
}
