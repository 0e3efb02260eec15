// The public surface of `nabla/rl`.

export { Box, Discrete, MultiDiscrete, type Space } from './spaces.js';
export {
  EnvironmentBase,
  type Environment,
  type Info,
  type Outcome,
  type Reset,
  type ResetOptions,
  type Step,
} from './environment.js';
export type { Canvas, Colour, Point, Window } from './drawing/canvas.js';
export { TimeLimit, Wrapper } from './wrappers.js';
export { VectorEnvironment, type VectorOptions, type VectorReset, type VectorStep } from './vector-environment.js';
export {
  ENVIRONMENT_NAMES,
  make,
  type EnvironmentName,
  type Environments,
  type MakeOptions,
  type OptionsOf,
} from './make.js';
export { Acrobot } from './environments/acrobot.js';
export { CartPole } from './environments/cart-pole.js';
export {
  CliffWalking,
  FrozenLake,
  GridWorld,
  type FrozenLakeOptions,
  type GridOptions,
  type Move,
  type Tile,
} from './environments/grid-world.js';
export { MountainCar, MountainCarContinuous } from './environments/mountain-car.js';
export { Pendulum } from './environments/pendulum.js';
export { TableEnvironment, type TableOptions, type Transition } from './environments/table.js';
export { playEpisode, type Played, type PlayOptions } from './play.js';
export { ExpectedSarsa, QLearning, Sarsa } from './tabular/agents.js';
export {
  TableAgent,
  linearSchedule,
  type Scheduled,
  type TableAgentOptions,
  type TableLearnOptions,
} from './tabular/table-agent.js';
export { valueIteration, type OptimalPlan, type ValueIterationOptions } from './tabular/value-iteration.js';
export { A2C, type A2cOptions } from './agents/a2c.js';
export {
  Agent,
  type AgentBatch,
  type AgentOptions,
  type EvaluateOptions,
  type PlayedEpisodes,
} from './agents/agent.js';
export { DQN, type DqnOptions } from './agents/dqn.js';
export { ActorCritic, type CreateNetwork, type Network } from './agents/networks.js';
export { PolicyAgent, type PolicyAgentOptions } from './agents/policy-agent.js';
export { PPO, type PpoOptions } from './agents/ppo.js';
export { Reinforce, type ReinforceOptions } from './agents/reinforce.js';
export { ReplayBuffer } from './agents/replay-buffer.js';
export { generalizedAdvantages, type AdvantageOptions, type Steps } from './agents/rollout.js';
