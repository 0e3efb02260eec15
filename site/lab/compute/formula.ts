import { type Shape, type Tensor, grad, tensor } from 'nabla';

type Scalar = Tensor<Shape, 'float64'>;

export interface Settings {
  formula: string;
  values: string;
}

/** A node of the graph: a variable, a number or an operator on earlier nodes. */
interface Node {
  readonly label: string;
  readonly operands: readonly number[];
  readonly apply?: (...operands: Scalar[]) => Scalar;
}

type Operator = readonly [level: number, apply: (a: Scalar, b: Scalar) => Scalar];

const OPERATORS: Record<string, Operator> = {
  '+': [1, (a, b) => a.add(b)],
  '-': [1, (a, b) => a.sub(b)],
  '*': [2, (a, b) => a.mul(b)],
  '/': [2, (a, b) => a.div(b)],
  '^': [4, (a, b) => a.pow(b)],
};
const FUNCTIONS: Record<string, (a: Scalar) => Scalar> = {
  exp: (a) => a.exp(),
  log: (a) => a.log(),
  sin: (a) => a.sin(),
  cos: (a) => a.cos(),
  tanh: (a) => a.tanh(),
  sigmoid: (a) => a.sigmoid(),
  relu: (a) => a.relu(),
  sqrt: (a) => a.sqrt(),
  abs: (a) => a.abs(),
};

/** A formula as a graph, operands before operators; what is written twice is one node. */
function parse(formula: string): Node[] {
  const tokens = formula.match(/\d+(\.\d+)?|[A-Za-z_]\w*|\S/g) ?? [];
  const nodes: Node[] = [];
  let at = 0;
  const fail = (what: string): never => {
    throw new Error(
      `Formula: ${what}. Use numbers, names, + - * / ^, brackets and ${Object.keys(FUNCTIONS).join(', ')}.`,
    );
  };
  const add = (node: Node): number => {
    const known = nodes.findIndex((n) => n.label === node.label && n.operands.join() === node.operands.join());
    return known >= 0 ? known : nodes.push(node) - 1;
  };
  const expect = (token: string): void => {
    if (tokens[at++] !== token) fail(`'${token}' is missing`);
  };
  const atom = (): number => {
    const token = tokens[at++] ?? fail('it ends too early');
    if (token === '(') {
      const inner = expression(1);
      expect(')');
      return inner;
    }
    // Binds closer than + and *, and less close than ^.
    if (token === '-') return add({ label: 'neg', operands: [expression(3)], apply: (a) => a.neg() });
    if (/^\d/.test(token)) return add({ label: token, operands: [] });
    if (!/^[A-Za-z_]/.test(token)) fail(`'${token}' is not understood`);
    if (tokens[at] !== '(') return add({ label: token, operands: [] });
    const apply = Object.hasOwn(FUNCTIONS, token) ? FUNCTIONS[token] : fail(`there is no function '${token}'`);
    at++;
    const operand = expression(1);
    expect(')');
    return add({ label: token, operands: [operand], apply });
  };
  const expression = (least: number): number => {
    let left = atom();
    while (Object.hasOwn(OPERATORS, tokens[at] ?? '')) {
      const label = tokens[at];
      const [level, apply] = OPERATORS[label];
      if (level < least) break;
      at++;
      const right = expression(label === '^' ? level : level + 1);
      left = add({ label, operands: [left, right], apply });
    }
    return left;
  };
  const root = expression(1);
  if (at < tokens.length) fail(`'${tokens[at]}' is not understood`);
  if (nodes.length > 40) fail('it is too long for a picture, 40 nodes at most');
  // What the formula comes to may be a node that was there before.
  return nodes.slice(0, root + 1);
}

/** `x = 1, y = -3` as numbers by name. */
function assignments(text: string): Map<string, number> {
  const pairs = text.split(/[,;]/).filter((part) => part.trim() !== '');
  return new Map(
    pairs.map((pair) => {
      const [name = '', value = ''] = pair.split('=').map((part) => part.trim());
      if (!/^[A-Za-z_]\w*$/.test(name) || value === '' || !Number.isFinite(Number(value)))
        throw new Error(`Values: '${pair.trim()}'. Write name = number, with commas between them.`);
      return [name, Number(value)];
    }),
  );
}

/** Forward, then backward, a node a frame. */
export async function* run(settings: Settings) {
  const graph = parse(settings.formula);
  const given = assignments(settings.values);
  const tensors: Scalar[] = [];
  for (const { label, operands, apply } of graph) {
    if (apply) tensors.push(apply(...operands.map((i) => tensors[i])).retainGrad());
    else if (/^\d/.test(label)) tensors.push(tensor(Number(label), { dtype: 'float64', requiresGrad: true }));
    else {
      const value = given.get(label);
      if (value === undefined) throw new Error(`Values: ${label} is missing. Add ${label} = 1.`);
      tensors.push(tensor(value, { dtype: 'float64', requiresGrad: true }));
    }
  }
  /** The result where one variable is moved a little, without gradients. */
  const moved = (name: string, by: number): Promise<number> => {
    const values: Scalar[] = [];
    for (const { label, operands, apply } of graph)
      values.push(
        apply
          ? apply(...operands.map((i) => values[i]))
          : tensor((/^\d/.test(label) ? Number(label) : given.get(label)!) + (label === name ? by : 0), {
              dtype: 'float64',
            }),
      );
    return values.at(-1)!.item();
  };
  const outputs = await Promise.all(tensors.map((t) => t.item()));
  tensors.at(-1)!.backward();
  const gradients = await Promise.all(tensors.map((t) => t.grad?.item() ?? 0));
  // Of each operator with respect to each of its operands, alone: what the chain rule multiplies by.
  const locals = await Promise.all(
    graph.map(({ operands, apply }) =>
      Promise.all(
        operands.map((_, which) => {
          const inputs = operands.map((i): Scalar => tensor(outputs[i], { dtype: 'float64' }));
          return grad((x: Scalar) => apply!(...inputs.map((input, i) => (i === which ? x : input))))(
            inputs[which],
          ).item();
        }),
      ),
    ),
  );
  const variables = graph.flatMap(({ label, apply }, i) =>
    apply || /^\d/.test(label) ? [] : [[`df/d${label}`, gradients[i]] as const],
  );
  // The gradient check: from both sides, without any rule of derivation.
  const gaps = await Promise.all(
    variables.map(async ([name, gradient]) => {
      const [step, variable] = [1e-5, name.slice('df/d'.length)];
      const slope = ((await moved(variable, step)) - (await moved(variable, -step))) / (2 * step);
      return Math.abs(slope - gradient) / Math.max(1, Math.abs(gradient));
    }),
  );
  const gap = gaps.reduce((most, one) => (one <= most ? most : one), 0); // NaN stays
  const last = graph.length - 1;
  for (let moment = 0; moment <= 2 * graph.length; moment++) {
    yield {
      values: {
        f: outputs[last],
        ...Object.fromEntries(variables),
        'gradient check': gap < 1e-6 ? 'agrees' : `off by ${gap.toPrecision(2)}`,
      },
      nodes: graph.map(({ label, operands }, i) => ({
        label,
        operands,
        value: outputs[i],
        gradient: gradients[i],
        locals: locals[i],
      })),
      /** Nodes whose value is known, and from the end those whose gradient is. */
      forward: Math.min(moment, graph.length),
      backward: Math.max(0, moment - graph.length),
    };
  }
}
