import { describe, expect, it } from 'vitest';
import type { Catalogue } from '../catalogue';
import { addNode, connect, type FlowDoc, readDoc } from '../model';
import { troublesOf } from '../panel/troubles';
import { readField } from '../widgets/schema';
import { type FlowProblem, ordered, sameToEngine, withoutUi } from './check';
import { fixesOf } from './fixes';

const NO_TYPES: Catalogue = { types: new Map(), families: [] };

function problem(code: string, node: string | null, field: string | null, en = ''): FlowProblem {
  const text = { zh: en, en };
  return { code, severity: 'error', node, field, message: text, title: text, remedy: text };
}

function flow(): FlowDoc {
  let doc = readDoc({ id: 'demo' });
  const node = (type: string, x: number) => ({
    type,
    typeVersion: 1,
    name: type,
    config: {},
    at: { x, y: 0 },
  });
  doc = addNode(doc, 'b', node('voice.say', 300));
  doc = addNode(doc, 'a', node('voice.answer', 0));
  return { ...connect(doc, { from: 'a', port: 'next', to: 'b' }), entry: null };
}

/** The document after the first fix of a problem. */
function mended(doc: FlowDoc, found: FlowProblem): FlowDoc {
  const [fix] = fixesOf(found, doc, NO_TYPES).filter((one) => one.change);
  expect(fix).toBeDefined();
  return fix!.change!(doc);
}

describe('what can be done about a problem', () => {
  it('starts at the node that nothing leads to', () => {
    expect(mended(flow(), problem('no_entry', null, 'entry')).entry).toBe('a');
  });

  it('ends at a new end, and the next open way out at the same', () => {
    const once = mended(flow(), problem('port_unwired', 'b', 'next'));
    const [end] = Object.keys(once.nodes).filter((id) => once.nodes[id]!.type === 'logic.end');
    expect(once.edges).toContainEqual({ from: 'b', port: 'next', to: end });
    const twice = mended(once, problem('port_unwired', 'b', 'failed'));
    expect(twice.edges).toContainEqual({ from: 'b', port: 'failed', to: end });
    expect(Object.keys(twice.nodes)).toHaveLength(3);
  });

  it('offers the picker for an open way out', () => {
    const [fix] = fixesOf(problem('port_unwired', 'b', 'next'), flow(), NO_TYPES);
    expect(fix?.pick).toEqual({ node: 'b', port: 'next' });
  });

  it('removes what cannot be', () => {
    expect(mended(flow(), problem('edge_port', 'a', 'edges.0.port')).edges).toEqual([]);
    expect(Object.keys(mended(flow(), problem('unreachable', 'b', null)).nodes)).toEqual(['a']);
    const keys = {
      ...flow(),
      shortcuts: [
        { key: '0', to: 'a' },
        { key: '0', to: 'b' },
      ],
    };
    expect(mended(keys, problem('duplicate_shortcut', null, 'shortcuts.1.key')).shortcuts).toEqual([
      { key: '0', to: 'a' },
    ]);
    const handler = { ...flow(), handlers: { hangup: 'gone', error: null } };
    expect(mended(handler, problem('unknown_target', null, 'handlers.hangup')).handlers.hangup).toBeNull();
  });

  it('creates the variable that is missing', () => {
    const found = problem('unknown_variable', 'b', 'x', 'there is no vars.amount; there are: -');
    expect(mended(flow(), found).variables).toEqual([{ name: 'amount', type: 'any' }]);
  });

  it('begins a missing language with what another one says', () => {
    const doc = flow();
    doc.nodes.b!.config = { prompt: { parts: [{ kind: 'text', text: { zh: '您好' } }] } };
    const next = mended(doc, problem('missing_language', 'b', 'prompt.parts.0.text.en'));
    expect(next.nodes.b!.config).toEqual({
      prompt: { parts: [{ kind: 'text', text: { zh: '您好', en: '您好' } }] },
    });
  });

  it('never changes the document it was given', () => {
    const doc = flow();
    const before = JSON.stringify(doc);
    for (const code of ['no_entry', 'no_language', 'dead_end', 'unreachable', 'missing_alias'])
      for (const fix of fixesOf(problem(code, 'b', null), doc, NO_TYPES)) fix.change?.(doc);
    expect(JSON.stringify(doc)).toBe(before);
  });
});

describe('checking', () => {
  it('does not care where things stand', () => {
    const doc = flow();
    expect(sameToEngine(doc, { ...doc, ui: { positions: {} } })).toBe(true);
    expect(sameToEngine(doc, { ...doc, name: 'other' })).toBe(false);
    expect('ui' in withoutUi(doc)).toBe(false);
  });

  it('tells the worst first, then in the order of the flow', () => {
    const warning = { ...problem('busy_loop', 'b', null), severity: 'warning' as const };
    const list = [warning, problem('x', 'a', null), problem('x', 'b', null), problem('x', null, null)];
    expect(ordered(list, flow()).map((one) => [one.severity, one.node])).toEqual([
      ['error', null],
      ['error', 'b'],
      ['error', 'a'],
      ['warning', 'b'],
    ]);
  });
});

describe('problems at fields', () => {
  const root = readField(
    { type: 'object', properties: { tries: { type: 'integer' }, parts: { type: 'array' } } },
    {},
    '',
  );

  it('stand where they are, and what belongs to no field stands above', () => {
    const found = troublesOf(
      [
        problem('expression_syntax', 'b', 'parts.0.text'),
        problem('dead_end', 'b', null),
        problem('port_unwired', 'b', 'next'),
      ],
      [],
      { parts: [{ text: 'x' }] },
      root,
    );
    expect([...found.placed.keys()]).toEqual(['parts.0.text']);
    expect(found.rest.map((one) => one.code)).toEqual(['dead_end']);
  });

  it('are not said twice', () => {
    const fault = { path: 'tries', message: { zh: '应', en: 'must' } };
    const found = troublesOf([problem('bad_config', 'b', 'tries')], [fault], { tries: 99 }, root);
    expect(found.placed.get('tries')).toHaveLength(1);
  });
});
