// The text of docs/fields.md, made of the table of fields.
import { allRows, type FieldRow } from './test-table.ts';

const HEAD = `# Every field, and who reads it

Made by \`scripts/fields.mjs\` of \`src/api/fields/\`; a test holds that every field of every type that is served stands here, that
every file named speaks of it, and that every warning and refusal is what a server answers.

A type is described once, wherever it stands: what is said of PodSpec holds for a pod and for the template of a StatefulSet.
What lies below an unsupported field is left out. Files are those that act on a field, or write it, below \`src/\`; there may be more.

`;

/** @returns the document. */
export function fieldsDocument(): string {
  const rows = allRows();
  return `${HEAD}${unsupportedPart(rows)}${readersPart(rows)}`;
}

function unsupportedPart(rows: readonly FieldRow[]): string {
  const lines = rows.flatMap(({ type, field, unsupported }) => {
    if (!unsupported) return [];
    const { instead, refused, values } = unsupported;
    const only = values ? ` \`${values.join('`, `')}\`` : '';
    return `| ${type} | \`${field}\`${only} | ${refused ? 'refused' : 'warning'} | ${instead} |`;
  });
  return `## What is not supported

| type | field | who sets it gets a | what happens instead |
|---|---|---|---|
${lines.sort().join('\n')}

`;
}

function readersPart(rows: readonly FieldRow[]): string {
  const read = new Set(
    rows.filter(({ unsupported }) => !unsupported).map(({ type, field }) => `${type}.${field}`),
  );
  const byType = groupBy(
    rows.filter(({ type, field, unsupported }) => !unsupported || !read.has(`${type}.${field}`)),
    ({ type }) => type,
  );
  const types = [...byType].sort(([a], [b]) => (a < b ? -1 : 1));
  return `## Type by type\n\n${types.map(([type, each]) => typePart(type, each)).join('\n')}`;
}

function typePart(type: string, rows: readonly FieldRow[]): string {
  const groups = groupBy(rows, ({ reader, kept, unsupported }) =>
    unsupported ? 'not supported, see above' : reader ? `\`${reader}\`` : `kept: ${kept}`,
  );
  const lines = [...groups].map(
    ([what, each]) => `- ${each.map(({ field }) => `\`${field}\``).join(', ')}: ${what}`,
  );
  return `### ${type}\n\n${lines.join('\n')}\n`;
}

function groupBy(rows: readonly FieldRow[], key: (row: FieldRow) => string): Map<string, FieldRow[]> {
  const groups = new Map<string, FieldRow[]>();
  for (const row of rows) groups.set(key(row), [...(groups.get(key(row)) ?? []), row]);
  return groups;
}
