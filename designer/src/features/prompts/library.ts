/** The library as people see it: one row a name, its languages beside each other. */

export interface Row {
  id: string;
  name: string;
  language: string;
  text: string;
  seconds: number;
  url?: string | null;
  updatedAt: string;
}

export interface Entry {
  name: string;
  byLanguage: ReadonlyMap<string, Row>;
  updatedAt: string;
}

export function entriesOf(rows: readonly Row[]): Entry[] {
  const found = new Map<string, Map<string, Row>>();
  for (const row of rows) {
    const languages = found.get(row.name) ?? new Map<string, Row>();
    languages.set(row.language, row);
    found.set(row.name, languages);
  }
  return [...found]
    .map(([name, byLanguage]) => ({
      name,
      byLanguage,
      updatedAt:
        [...byLanguage.values()]
          .map((row) => row.updatedAt)
          .sort()
          .at(-1) ?? '',
    }))
    .sort((one, two) => one.name.localeCompare(two.name, 'zh'));
}

/** The languages in use, those of the product first. */
export function languagesOf(rows: readonly { language: string }[], first: readonly string[]): string[] {
  return [...new Set([...first, ...rows.map((row) => row.language).sort()])];
}

export function matches(entry: Entry, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  const said = [entry.name, ...[...entry.byLanguage.values()].map((row) => row.text)].join(' ');
  return said.toLowerCase().includes(wanted);
}
