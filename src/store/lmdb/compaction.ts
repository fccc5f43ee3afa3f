// Forgetting history, in steps small enough that writes go on between them. A step that was interrupted is done
// again; how far it came is written in the same transaction as what it removed.
import { decodeKeyRecord, decodeLogRecord } from './records.ts';
import type { Tables } from './tables.ts';
import { commit } from './tables.ts';

const STEP_RECORDS = 1000;

/**
 * One step towards forgetting everything before `revision`: what a later write up to there has replaced, and the
 * deletions.
 * @returns whether steps remain.
 */
export async function compactionStep(tables: Tables, revision: number): Promise<boolean> {
  const { log, keys, meta } = tables;
  const start = (meta.get('compactedThrough') ?? 0) + 1;
  const superseded: number[] = [];
  const gone: string[] = [];
  let through = revision;
  let seen = 0;
  for (const { key: at, value } of log.getRange({ start, end: revision + 1 })) {
    const record = decodeLogRecord(value);
    if (record.previous > 0) superseded.push(record.previous);
    if (record.type === 'delete') {
      superseded.push(at);
      const current = keys.get(record.key);
      if (current && decodeKeyRecord(current).revision === at) gone.push(record.key);
    }
    if (++seen === STEP_RECORDS) {
      through = at;
      break;
    }
  }
  await commit(tables, () => {
    // The transaction as a whole is waited for, and fails if one of these does.
    for (const at of superseded) void log.remove(at);
    for (const key of gone) void keys.remove(key);
    void meta.put('compactRevision', revision);
    void meta.put('compactedThrough', through);
  });
  return through < revision;
}
