// Numbers for whoever watches over the system, in Prometheus' text form. A room makes its counters, gauges and
// histograms in a registry it is handed; names are upstream's where upstream has the number.

export type Labels = Readonly<Record<string, string>>;

/** Series that one metric may have; further label values are put together under `other`. */
const SERIES_LIMIT = 2_000;

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  lines(): Iterable<string>;
}

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

/** Of labels that cannot change: those of a busy metric are made once and frozen. */
const texts = new WeakMap<Labels, string>();

function labelText(labels: Labels): string {
  const known = texts.get(labels);
  if (known !== undefined) return known;
  const text = Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
  if (Object.isFrozen(labels)) texts.set(labels, text);
  return text;
}

const braced = (text: string): string => (text ? `{${text}}` : '');

/** The values of a metric by their labels, bounded. */
class Series<T> {
  readonly #byLabels = new Map<string, T>();

  get(labels: Labels, make: () => T): T {
    const text = labelText(labels);
    let value = this.#byLabels.get(text);
    if (value === undefined) {
      if (this.#byLabels.size >= SERIES_LIMIT) return this.#overflow(labels, make);
      value = make();
      this.#byLabels.set(text, value);
    }
    return value;
  }

  #overflow(labels: Labels, make: () => T): T {
    const text = labelText(Object.fromEntries(Object.keys(labels).map((name) => [name, 'other'])));
    const value = this.#byLabels.get(text) ?? make();
    this.#byLabels.set(text, value);
    return value;
  }

  entries(): Iterable<[string, T]> {
    return this.#byLabels;
  }
}

/** A number that only rises. */
export class Counter implements Metric {
  readonly type = 'counter';
  readonly name: string;
  readonly help: string;
  readonly #series = new Series<{ value: number }>();

  constructor(name: string, help: string) {
    this.name = name;
    this.help = help;
  }

  add(labels: Labels, amount = 1): void {
    this.#series.get(labels, () => ({ value: 0 })).value += amount;
  }

  *lines(): Iterable<string> {
    for (const [labels, { value }] of this.#series.entries()) yield `${this.name}${braced(labels)} ${value}`;
  }
}

/** A number that rises and falls; or one that is read when it is asked for. */
export class Gauge implements Metric {
  readonly type: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  readonly #series = new Series<{ value: number }>();
  readonly #read: (() => Iterable<[Labels, number]>) | undefined;

  /** @param read gives all values at the time they are asked for. */
  constructor(
    name: string,
    help: string,
    read?: () => Iterable<[Labels, number]>,
    type: Gauge['type'] = 'gauge',
  ) {
    this.name = name;
    this.help = help;
    this.#read = read;
    this.type = type;
  }

  set(labels: Labels, value: number): void {
    this.#series.get(labels, () => ({ value: 0 })).value = value;
  }

  *lines(): Iterable<string> {
    for (const [labels, value] of this.#read?.() ?? [])
      yield `${this.name}${braced(labelText(labels))} ${value}`;
    for (const [labels, { value }] of this.#series.entries()) yield `${this.name}${braced(labels)} ${value}`;
  }
}

/** How values are spread: how many were at most so large. */
export class Histogram implements Metric {
  readonly type = 'histogram';
  readonly name: string;
  readonly help: string;
  readonly #bounds: readonly number[];
  readonly #series = new Series<{ counts: number[]; sum: number; count: number }>();

  /** @param bounds the upper bounds of the buckets, rising. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = bounds;
  }

  observe(labels: Labels, value: number): void {
    this.bound(labels)(value);
  }

  /** What takes the values of these labels; to be kept by whoever has many. */
  bound(labels: Labels): (value: number) => void {
    const series = this.#series.get(labels, () => ({ counts: this.#bounds.map(() => 0), sum: 0, count: 0 }));
    return (value) => {
      const bucket = this.#bounds.findIndex((bound) => value <= bound);
      if (bucket >= 0) series.counts[bucket] = (series.counts[bucket] ?? 0) + 1;
      series.sum += value;
      series.count++;
    };
  }

  *lines(): Iterable<string> {
    for (const [labels, { counts, sum, count }] of this.#series.entries()) {
      const before = labels ? `${labels},` : '';
      let below = 0;
      for (const [index, bound] of this.#bounds.entries()) {
        below += counts[index] ?? 0;
        yield `${this.name}_bucket{${before}le="${bound}"} ${below}`;
      }
      yield `${this.name}_bucket{${before}le="+Inf"} ${count}`;
      yield `${this.name}_sum${braced(labels)} ${sum}`;
      yield `${this.name}_count${braced(labels)} ${count}`;
    }
  }
}

/** All metrics of one process. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();
  readonly #refresh: (() => Promise<void>)[] = [];
  readonly #others: (() => Promise<string>)[] = [];

  /** Takes a metric up, and gives it back. One of the same name gives way to it: a room may be made anew. */
  add<T extends Metric>(metric: T): T {
    this.#metrics.set(metric.name, metric);
    return metric;
  }

  /** Something to do before the numbers are read, for gauges that cost something. */
  beforeReading(refresh: () => Promise<void>): void {
    this.#refresh.push(refresh);
  }

  /** Adds those of another process, in the same form and of other names. One that cannot be asked has none. */
  join(text: () => Promise<string>): void {
    this.#others.push(text);
  }

  /** Everything, in Prometheus' text form. */
  async text(): Promise<string> {
    await Promise.all(this.#refresh.map((refresh) => refresh()));
    const lines: string[] = [];
    for (const metric of [...this.#metrics.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const values = [...metric.lines()];
      if (values.length === 0) continue;
      lines.push(`# HELP ${metric.name} ${metric.help.replaceAll('\n', ' ')}`);
      lines.push(`# TYPE ${metric.name} ${metric.type}`, ...values);
    }
    const others = await Promise.all(this.#others.map((text) => text().catch(() => '')));
    return `${lines.join('\n')}\n${others.join('')}`;
  }
}
