import { describe, expect, it } from 'vitest';
import { blank, foldersOf, KINDS, keyFor, type Listed, matches, readFiles, refusedAt, twice } from './model';

const flow = (more: Partial<Listed> = {}): Listed => ({
  key: 'hotline',
  name: '服务热线 Hotline',
  kind: 'ivr',
  folder: '',
  tags: [],
  draftAhead: false,
  aliases: [{ name: 'live', version: 3 }],
  cases: { total: 0, green: 0, red: 0, stale: 0, neverRan: 0 },
  problemCounts: { errors: 0, warnings: 0 },
  numbers: [],
  ...more,
});
const all = { search: '', kind: '', state: '', folder: '', tag: '' };

describe('folders', () => {
  it('hold what is below them, and those above exist', () => {
    const found = foldersOf([{ folder: 'a/b' }, { folder: 'a/b' }, { folder: 'a/c' }, { folder: '' }]);
    expect(found.map((one) => [one.path, one.depth, one.count])).toEqual([
      ['a', 0, 3],
      ['a/b', 1, 2],
      ['a/c', 1, 1],
    ]);
  });

  it('keep their children beside them, whatever signs the names have', () => {
    const found = foldersOf([{ folder: 'a b' }, { folder: 'a/z' }]);
    expect(found.map((one) => one.path)).toEqual(['a', 'a/z', 'a b']);
  });
});

describe('filters', () => {
  it('find by name, key, number and tag', () => {
    const one = flow({ numbers: [{ number: '4001234' }], tags: ['night'] });
    for (const search of ['热线', 'HOTLINE', '4001', 'night'])
      expect(matches(one, { ...all, search })).toBe(true);
    expect(matches(one, { ...all, search: 'absent' })).toBe(false);
  });

  it('take a folder with all below it, but not one whose name begins alike', () => {
    expect(matches(flow({ folder: 'a/b' }), { ...all, folder: 'a' })).toBe(true);
    expect(matches(flow({ folder: 'ab' }), { ...all, folder: 'a' })).toBe(false);
    expect(matches(flow(), { ...all, folder: '-' })).toBe(true);
  });

  it('know the states', () => {
    expect(matches(flow({ draftAhead: true }), { ...all, state: 'ahead' })).toBe(true);
    expect(matches(flow(), { ...all, state: 'unpublished' })).toBe(false);
    expect(matches(flow({ aliases: [] }), { ...all, state: 'unpublished' })).toBe(true);
    const red = flow({ cases: { total: 2, green: 1, red: 1, stale: 0, neverRan: 0 } });
    expect(matches(red, { ...all, state: 'red' })).toBe(true);
    expect(matches(flow({ problemCounts: { errors: 0, warnings: 1 } }), { ...all, state: 'problems' })).toBe(
      true,
    );
  });
});

describe('a file', () => {
  const read = (content: string) => readFiles(content, content.length)[0]!;

  it('is a flow when it says so', () => {
    const good = read('\uFEFF{"id":"x","kind":"ivr","name":"X","nodes":{}}');
    expect(good.ok && good.document.id).toBe('x');
  });

  it('is refused with the reason when it is not', () => {
    expect(read('{"kind":')).toMatchObject({
      ok: false,
      why: 'notJson',
      fault: { kind: 'short', line: 1, column: 9 },
    });
    expect(read('[1]')).toMatchObject({ ok: false, why: 'notFlow' });
    expect(read('{"kind":"ivr","name":"x"}')).toMatchObject({ ok: false, why: 'notFlow' });
    expect(read('{"kind":"film","name":"x","nodes":{}}')).toMatchObject({ ok: false, why: 'wrongKind' });
    expect(readFiles('', 12_300_000)[0]).toMatchObject({ ok: false, why: 'tooLarge', detail: '12.3' });
  });

  it('holds several flows, each judged by itself', () => {
    const one = { id: 'a', kind: 'ivr', name: 'A', nodes: {} };
    for (const content of [{ flows: [one, 1] }, [one, 1]]) {
      const found = readFiles(JSON.stringify(content), 10);
      expect(found.map((each) => each.ok)).toEqual([true, false]);
    }
    expect(refusedAt('flows.3.cases.0.name')).toBe(3);
    expect(refusedAt('flows')).toBeNull();
  });

  it('is noticed when two hold the same flow', () => {
    expect([...twice([{ id: 'a' }, { id: 'b' }, { id: 'a' }, { id: '' }, { id: '' }])]).toEqual(['a']);
  });
});

describe('new flows', () => {
  it('have a key from their name', () => {
    expect(keyFor('Night  Line 2!', 'ivr')).toBe('night-line-2');
    expect(keyFor('夜间热线', 'ivr')).toBe('ivr');
    expect(keyFor('24 小时 hotline', 'ivr')).toBe('ivr-24-hotline');
  });

  it('are whole: every edge joins nodes that exist, from the entry to the end', () => {
    for (const kind of KINDS) {
      const document = blank(kind);
      const ids = Object.keys(document.nodes);
      expect(ids).toContain(document.entry);
      for (const edge of document.edges as { from: string; to: string }[])
        expect(ids).toEqual(expect.arrayContaining([edge.from, edge.to]));
      expect((document.edges as unknown[]).length).toBe(ids.length - 1);
    }
  });
});
