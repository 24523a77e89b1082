import { expect, it } from 'vitest';
import { groupUses } from './uses';

it('tells each flow once, with all its nodes, and whether it is live', () => {
  const one = { zh: 'One', en: 'One' };
  const menu = { zh: '按键菜单', en: 'Menu' };
  const row = (more: object) => ({
    name: 'hours',
    flowKey: 'a',
    flowName: 'A',
    version: null,
    aliases: [] as string[],
    node: 'n1',
    called: one,
    ...more,
  });
  const found = groupUses([
    row({}),
    row({ version: 2, aliases: ['live'] }),
    row({ node: 'n2', called: menu }),
    row({ flowKey: 'b', flowName: 'B' }),
    row({ name: 'nights' }),
  ]);
  expect(found.get('hours')).toEqual([
    {
      key: 'a',
      name: 'A',
      nodes: [
        { id: 'n1', called: one },
        { id: 'n2', called: menu },
      ],
      live: true,
    },
    { key: 'b', name: 'B', nodes: [{ id: 'n1', called: one }], live: false },
  ]);
  expect(found.get('nights')).toHaveLength(1);
});
