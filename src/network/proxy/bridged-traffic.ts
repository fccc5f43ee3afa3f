// Traffic between two pods of one bridge never comes to the kernel's IP layer unless br_netfilter lets it: the answer of a
// pod that was reached by a Service's address would come back under the pod's own, and mean nothing to who asked.
import { writeFile } from 'node:fs/promises';
import { errorText } from '../../base/error-text.ts';
import type { RunCommand } from '../../base/machine-command.ts';

const SETTINGS = ['bridge-nf-call-iptables', 'bridge-nf-call-ip6tables'];

/** Shows bridged traffic to the packet filter. Returns why that cannot be, or undefined. */
export async function showBridgedTraffic(run: RunCommand): Promise<string | undefined> {
  try {
    await writeSettings().catch(async () => {
      await run('modprobe', ['br_netfilter']);
      await writeSettings();
    });
    return undefined;
  } catch (error) {
    return errorText(error);
  }
}

async function writeSettings(): Promise<void> {
  for (const name of SETTINGS) await writeFile(`/proc/sys/net/bridge/${name}`, '1\n');
}
