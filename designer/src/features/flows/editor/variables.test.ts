import { describe, expect, it } from 'vitest';
import { addNode, readDoc } from './model';
import { addVariable, readDefault, renameVariable } from './variables';

describe('variables of a flow', () => {
  it('get a free name', () => {
    const doc = addVariable(addVariable(readDoc({}), 'inputs'), 'variables');
    expect([doc.inputs[0]?.name, doc.variables[0]?.name]).toEqual(['value_1', 'value_2']);
  });

  it('are renamed wherever nodes mention them', () => {
    let doc = readDoc({ variables: [{ name: 'sum', type: 'number' }] });
    doc = addNode(doc, 'keep', {
      type: 'logic.set',
      typeVersion: 1,
      name: '',
      config: { assignments: [{ name: 'sum', value: 'vars.sum + vars.summary' }] },
      at: { x: 0, y: 0 },
    });
    const next = renameVariable(doc, 'variables', 0, 'total');
    expect(next.nodes.keep?.config).toEqual({
      assignments: [{ name: 'total', value: 'vars.total + vars.summary' }],
    });
  });

  it.each([
    ['12', 'number', 12],
    ['twelve', 'number', undefined],
    ['true', 'boolean', true],
    ['[1]', 'list', [1]],
    ['{}', 'list', undefined],
    ['{"a": 1}', 'object', { a: 1 }],
    ['', 'number', null],
    ['8001', 'string', '8001'],
  ] as const)('take %j as a %s', (typed, type, value) => {
    expect(readDefault(typed, type)).toEqual(value);
  });
});
