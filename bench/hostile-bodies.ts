// How long one request may hold up the thread that everybody waits for: bodies at the limits of what is taken, one for
// each list and map of each served kind, sent with dryRun to a server in this process. Prints the worst, in CPU time,
// which other load on the machine does not change.
//
//   node dist/bench/hostile-bodies.js [KIND…]
import { allResources } from '../src/api/resources/all.ts';
import { openFrontDoor } from '../src/apiserver/http/test-front-door.ts';
import { bodyOf, FILLINGS, sitesOf } from './hostile/bodies.ts';

/** A body holds so many values at most; those beside the list are few. */
const MAX_VALUES = 15_000 - 200;
const MAX_BYTES = 3 * 1024 * 1024;
const SHOWN = 40;

interface Held {
  what: string;
  bytes: number;
  code: number;
  ms: number;
}

const kinds = process.argv.slice(2);
const door = await openFrontDoor();
const seen = new Set<string>();
const results: Held[] = [];

for (const resource of allResources) {
  if (!resource.verbs.includes('create')) continue;
  if (kinds.length > 0 && !kinds.includes(resource.kind)) continue;
  const group = resource.group ? `apis/${resource.group}` : 'api';
  const place = resource.namespaced ? '/namespaces/default' : '';
  const path = `/${group}/${resource.version}${place}/${resource.plural}?dryRun=All`;
  for (const site of sitesOf(resource.schema)) {
    // The metadata of one kind is that of all others.
    const shared = site.path[0] === 'metadata' && resource.kind !== 'ConfigMap' && resource.kind !== 'Pod';
    if (shared || (seen.has(site.field) && kinds.length === 0)) continue;
    seen.add(site.field);
    for (const filling of FILLINGS) {
      const of10 = bodyOf(resource, site, filling, 10);
      const valuesOf10 =
        of10.split(/[,[{]/).length - bodyOf(resource, site, filling, 0).split(/[,[{]/).length;
      const entries = Math.floor((MAX_VALUES * 10) / Math.max(valuesOf10, 10));
      const body = bodyOf(resource, site, filling, entries);
      if (body.length > MAX_BYTES) continue;
      const before = process.cpuUsage();
      const { code } = await door.ask('POST', path, { body });
      const ms = process.cpuUsage(before).user / 1000;
      results.push({
        what: `${resource.kind} ${site.path.join('.')} ${filling} ×${entries}`,
        bytes: body.length,
        code,
        ms,
      });
    }
  }
}

results.sort((a, b) => b.ms - a.ms);
for (const { what, bytes, code, ms } of results.slice(0, SHOWN)) {
  console.log(`${ms.toFixed(0).padStart(6)} ms  ${code}  ${String(bytes).padStart(8)} B  ${what}`);
}
console.log(`${results.length} bodies, ${results.filter(({ ms }) => ms > 100).length} of them over 100 ms`);
process.exit(0);
