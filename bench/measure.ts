// What all benchmarks share: a series of samples, its median and spread, and a line that says so.
import { cpus } from 'node:os';

export interface Series {
  name: string;
  unit: string;
  samples: number[];
}

export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Runs something several times, one after another; `once` gives the sample. */
export async function series(
  name: string,
  unit: string,
  times: number,
  once: () => Promise<number>,
): Promise<Series> {
  const samples: number[] = [];
  for (let i = 0; i < times; i++) samples.push(await once());
  return { name, unit, samples };
}

export function line({ name, unit, samples }: Series): string {
  const round = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
  const spread = `${round(Math.min(...samples))}–${round(Math.max(...samples))}`;
  return `${name}: ${round(median(samples))} ${unit} (${spread}, median of ${samples.length})`;
}

export function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Node ${process.version}`;
}
