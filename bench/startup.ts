// Process start → /readyz, with a new data directory and with one that exists, and what the idle process weighs.
import { line, machine, series } from './measure.ts';
import { newDataDirectory, type RuntimeName, removeStead, startStead, weightOf } from './process.ts';

const TIMES = 11;
const IDLE_MS = 15_000;

console.log(machine());
for (const runtime of ['simulated', 'containerd'] as const satisfies RuntimeName[]) {
  if (runtime === 'containerd' && process.getuid?.() !== 0) {
    console.log('containerd: not measured, it takes root');
    continue;
  }
  const fresh = await series(`${runtime}, start → /readyz, new data directory`, 'ms', TIMES, async () => {
    const directory = newDataDirectory();
    const stead = await startStead(directory, runtime);
    await stead.end();
    removeStead(directory);
    return stead.readyMs;
  });
  console.log(line(fresh));
  const directory = newDataDirectory();
  await (await startStead(directory, runtime)).end();
  const again = await series(
    `${runtime}, start → /readyz, existing data directory`,
    'ms',
    TIMES,
    async () => {
      const stead = await startStead(directory, runtime);
      await stead.end();
      return stead.readyMs;
    },
  );
  console.log(line(again));
  const stead = await startStead(directory, runtime);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  console.log(`${runtime}, resident memory after ${IDLE_MS / 1000} idle seconds: ${weightOf(stead)}`);
  await stead.end();
  removeStead(directory);
}
