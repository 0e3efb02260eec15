// Functions that a model defines itself, written out where they are called: inner names get the caller's name in front.

import type { AttributeValue, FunctionMessage, GraphMessage, NodeMessage } from '../wire/messages.js';

export const functionKey = (domain: string, name: string, overload: string): string =>
  `${domain}::${name}::${overload}`;

type Rename = (name: string) => string;

/** The nodes of a function for one call of it, named after the caller. */
export function writtenOut(call: NodeMessage, called: FunctionMessage, prefix: string): NodeMessage[] {
  const names = new Map<string, string>([['', '']]);
  called.inputs.forEach((name, i) => names.set(name, call.inputs[i] ?? ''));
  called.outputs.forEach((name, i) => names.set(name, call.outputs[i] || `${prefix}/${name}`));
  const rename: Rename = (name) => names.get(name) ?? `${prefix}/${name}`;
  return called.nodes.map((node) => renamed(node, rename, prefix, call, called));
}

function renamed(
  node: NodeMessage,
  rename: Rename,
  prefix: string,
  call: NodeMessage,
  called: FunctionMessage,
): NodeMessage {
  const attributes = new Map<string, AttributeValue>();
  for (const [name, value] of node.attributes) {
    const given =
      value.kind === 'reference' ? (call.attributes.get(value.value) ?? called.defaults.get(value.value)) : value;
    if (given === undefined) continue; // left out by the caller: the operator's own default
    attributes.set(name, withGraph(given, rename, prefix, call, called));
  }
  return {
    ...node,
    name: node.name === '' ? '' : `${prefix}/${node.name}`,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
    attributes,
  };
}

function withGraph(
  value: AttributeValue,
  rename: Rename,
  prefix: string,
  call: NodeMessage,
  called: FunctionMessage,
): AttributeValue {
  if (value.kind !== 'graph') return value;
  const { value: graph } = value;
  const inner: GraphMessage = {
    ...graph,
    nodes: graph.nodes.map((node) => renamed(node, rename, prefix, call, called)),
    inputs: graph.inputs.map((info) => ({ ...info, name: rename(info.name) })),
    outputs: graph.outputs.map((info) => ({ ...info, name: rename(info.name) })),
    initializers: graph.initializers.map((tensor) => ({ ...tensor, name: rename(tensor.name) })),
  };
  return { kind: 'graph', value: inner };
}
