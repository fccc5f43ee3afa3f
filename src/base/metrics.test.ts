import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Gauge, Histogram, Metrics } from './metrics.ts';

test('counters, gauges and histograms in Prometheus’ text form', async () => {
  const metrics = new Metrics();
  const requests = metrics.add(new Counter('requests_total', 'Requests.'));
  const open = metrics.add(new Gauge('open', 'Open ones.'));
  metrics.add(new Gauge('read', 'Read late.', () => [[{}, 7]]));
  const seconds = metrics.add(new Histogram('seconds', 'How long.', [0.1, 1]));
  metrics.add(new Counter('never', 'Nothing yet.'));
  requests.add({ code: '200', path: 'a"b\\c\nd' });
  requests.add({ code: '200', path: 'a"b\\c\nd' }, 2);
  metrics.beforeReading(async () => open.set({ kind: 'x' }, 3));
  for (const value of [0.05, 0.1, 0.5, 5]) seconds.observe({ v: 'get' }, value);
  assert.equal(
    await metrics.text(),
    `# HELP open Open ones.
# TYPE open gauge
open{kind="x"} 3
# HELP read Read late.
# TYPE read gauge
read 7
# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200",path="a\\"b\\\\c\\nd"} 3
# HELP seconds How long.
# TYPE seconds histogram
seconds_bucket{v="get",le="0.1"} 2
seconds_bucket{v="get",le="1"} 3
seconds_bucket{v="get",le="+Inf"} 4
seconds_sum{v="get"} 5.65
seconds_count{v="get"} 4
`,
  );
  metrics.add(new Gauge('open', 'Anew.'));
  assert.doesNotMatch(await metrics.text(), /open\{/);
});

test('a metric has no more series than its limit', async () => {
  const metrics = new Metrics();
  const counter = metrics.add(new Counter('c', 'C.'));
  for (let index = 0; index < 5_000; index++) counter.add({ index: `${index}` });
  const text = await metrics.text();
  assert.match(text, /^c\{index="other"\} 3000$/m);
});
