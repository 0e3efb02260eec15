// How much a least-squares step is damped: less where the linear model was right, more where it was not (Nielsen 1999; Madsen, Nielsen
// and Tingleff 2004).

export class Damping {
  /** λ, in the units of JᵀJ. */
  lambda: number;
  /** What λ is multiplied with at the next refusal. */
  growth: number;

  constructor(lambda: number, growth = 2) {
    [this.lambda, this.growth] = [lambda, growth];
  }

  /** `gain`: the decrease as a part of the predicted one. */
  accept(gain: number): void {
    this.lambda *= Math.max(1 / 3, 1 - (2 * gain - 1) ** 3);
    this.growth = 2;
  }

  refuse(): void {
    this.lambda *= this.growth;
    this.growth *= 2;
  }

  /** Beyond this a step is so short that nothing is left to try. */
  get isHopeless(): boolean {
    return !(this.lambda < 1e150);
  }
}
