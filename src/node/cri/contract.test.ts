// The runtime over containerd, held to what the agent may expect of every runtime.
import { runtimeContract } from '../test-contract.ts';
import { BUSYBOX, startRealNode, whyNoContainers } from './real-node.test.ts';

const shell = (script: string): string[] => ['/bin/busybox', 'sh', '-c', script];

/** Ends as it is told to in a file, and when it is asked to stop. */
const COMMAND = shell(
  "trap 'exit 0' TERM; echo > /tmp/heeds; while true; do [ -s /tmp/end ] && exit $(cat /tmp/end); sleep 0.02; done",
);

runtimeContract(
  'containerd',
  async (context) => {
    const { logDirectory, openRuntime, runtime } = await startRealNode(context);
    return {
      runtime,
      image: BUSYBOX,
      // Of a registry that nobody has: nothing is asked of the network.
      missingImage: '127.0.0.1:1/nowhere:1',
      logDirectory,
      command: COMMAND,
      async heeds(containerId) {
        await runtime.execSync(containerId, shell('until [ -e /tmp/heeds ]; do sleep 0.01; done'), 10_000);
      },
      async end(containerId, exitCode) {
        await runtime.execSync(containerId, shell(`echo ${exitCode} > /tmp/end`), 10_000);
      },
      reopen: openRuntime,
      shell,
    };
  },
  await whyNoContainers(),
);
