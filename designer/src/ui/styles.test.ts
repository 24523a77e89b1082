import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

/**
 * A stylesheet stays when its page is left. A class that two of them draw, each for its own, would look other on a
 * page depending on which pages were opened before it.
 */
test('each class is drawn by one stylesheet', () => {
  const root = join(__dirname, '..');
  const sheets = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.css'),
  );
  const drawnBy = new Map<string, Set<string>>();
  for (const sheet of sheets) {
    const text = readFileSync(join(root, sheet), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
    for (const [, selectors = ''] of text.matchAll(/([^{};]+)\{/g))
      for (const selector of selectors.split(',')) {
        const [, name] = /^(\.cw-[\w-]+)$/.exec(selector.trim()) ?? [];
        if (name) drawnBy.set(name, (drawnBy.get(name) ?? new Set()).add(sheet));
      }
  }
  expect(drawnBy.size).toBeGreaterThan(100);
  const shared = [...drawnBy]
    .filter(([, by]) => by.size > 1)
    .map(([name, by]) => `${name}: ${[...by].join(' ')}`);
  expect(shared).toEqual([]);
});
