import { expect, it } from 'vitest';
import { groupUses } from './uses';

it('tells each flow once, with all its nodes, and whether it is live', () => {
  const row = (more: object) => ({
    name: 'hours',
    flowKey: 'a',
    flowName: 'A',
    version: null,
    aliases: [] as string[],
    node: 'n1',
    nodeName: 'One',
    ...more,
  });
  const found = groupUses([
    row({}),
    row({ version: 2, aliases: ['live'] }),
    row({ node: 'n2', nodeName: '' }),
    row({ flowKey: 'b', flowName: 'B' }),
    row({ name: 'nights' }),
  ]);
  expect(found.get('hours')).toEqual([
    { key: 'a', name: 'A', nodes: ['One', 'n2'], live: true },
    { key: 'b', name: 'B', nodes: ['One'], live: false },
  ]);
  expect(found.get('nights')).toHaveLength(1);
});
