// stead status: the process, and its sets with their pods, claims and names.
import { Resolver } from 'node:dns/promises';
import { podRangesOf } from '../../api/between/pod-network.ts';
import { persistentVolumeClaims } from '../../api/resources/persistent-volume-claims/definition.ts';
import { pods } from '../../api/resources/pods/definition.ts';
import { statefulSets } from '../../api/resources/stateful-sets/definition.ts';
import { pathsOf } from '../../cluster/disk/paths.ts';
import { DOMAIN } from '../../cluster/domain.ts';
import { readPodNetwork, tableOf } from '../../cluster/roles/pod-network.ts';
import { steadsBeside } from '../../cluster/roles/steads-beside.ts';
import { connect } from '../connection.ts';
import { drawSets, viewSets } from '../set-tree.ts';

export async function status(options: { dataDir: string; output: 'text' | 'json' }): Promise<void> {
  const { client, info, paths } = await connect(options.dataDir);
  const [setList, podList, claimList] = await Promise.all([
    client.list(statefulSets),
    client.list(pods),
    client.list(persistentVolumeClaims),
  ]);
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([info.dns]);
  const resolve = (name: string): Promise<string[]> => resolver.resolve4(name).catch(() => []);
  const objects = { sets: setList.items, pods: podList.items, claims: claimList.items };
  const sets = await viewSets(objects, DOMAIN, resolve);
  const beside = await Promise.all(
    (await steadsBeside(paths)).map(async (stead) => ({
      ...stead,
      pods: await readPodNetwork(pathsOf(stead.data)),
    })),
  );
  const own = await readPodNetwork(paths);
  if (options.output === 'json') {
    process.stdout.write(
      `${JSON.stringify({ ...info, dataDirectory: paths.data, beside, sets }, undefined, 2)}\n`,
    );
    return;
  }
  const lines = [
    `stead ${info.version}  ${info.server}  pid ${info.pid}  runtime ${info.runtime}`,
    `data ${paths.data}  kubeconfig ${info.kubeconfig}`,
    `store ${info.store}`,
    `dns ${info.dns} (${DOMAIN})  pods ${info.podCidr}${own ? ` on ${own.bridge}` : ''}`,
    `services ${info.services}`,
    `network policies ${info.policies}`,
    ...beside.map(({ data, pods, serviceCidr }) => {
      const network = pods
        ? `  pods ${podRangesOf(pods).map(({ cidr }) => cidr)} on ${pods.bridge}  table ${tableOf(pods)}`
        : '';
      return `beside ${data}  services ${serviceCidr}${network}`;
    }),
    `volumes ${info.volumes}`,
    `certificates ${info.certificates.map(({ name, until }) => `${name} until ${until.slice(0, 10)}`).join(', ')}; renewed before`,
    '',
    ...drawSets(sets),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
