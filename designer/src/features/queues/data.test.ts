import { describe, expect, it } from 'vitest';
import { BLANK_QUEUE, formOf, inputOf, type Queue, skillMap, thresholdMap } from './data';

describe('the form of a queue', () => {
  it('gives back what it was filled from', () => {
    const queue = {
      ...inputOf({ ...BLANK_QUEUE, name: 'sales', skillRows: [{ skill: 'english', level: 7 }] }),
      label: { zh: '销售', en: 'Sales' },
      members: ['u1'],
      overflow: [{ queue: 'service', afterSeconds: 60, when: 'always' }],
      thresholds: { waiting: 5 },
    } as unknown as Queue;
    const again = inputOf(formOf(queue));
    expect(again.skills).toEqual({ english: 7 });
    expect(again.thresholds).toEqual({ waiting: 5 });
    expect(again.overflow).toEqual(queue.overflow);
    expect(again.labelZh).toBe('销售');
    expect(again).not.toHaveProperty('members');
  });

  it('leaves out rows that were not filled', () => {
    expect(skillMap([{ skill: '', level: 3 }, undefined, { skill: ' french ', level: 2 }])).toEqual({
      french: 2,
    });
    expect(thresholdMap({ waiting: null, longest: 30, expected: undefined })).toEqual({ longest: 30 });
  });
});
