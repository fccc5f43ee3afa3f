// Joins the node process to an API that answers: what the node is called, the certificates it and the DNS server act
// with, and new ones before those end.
import { NODES_GROUP } from '../../apiserver/authz/node.ts';
import type { LiveCertificates } from '../disk/certificate-renewal.ts';
import type { Certificates } from '../disk/certificates.ts';
import { nodeNameOf } from '../disk/node-name.ts';
import { CONTROLLER_MANAGER, DNS, nodeUser } from '../roles/identities.ts';
import { nodesReady } from '../roles/node-readiness.ts';
import type { NodeHost } from '../roles/nodes.ts';
import type { Neighbour } from './neighbour.ts';
import type { NodeConnection } from './node-protocol.ts';

/**
 * Ready for pods when it resolves; containers of an earlier stead are adopted.
 * @param asked the node's name, as `--node-name` has it.
 * @param server where the API answers.
 * @throws UserError if it cannot start.
 */
export async function beginNode(
  neighbour: Neighbour,
  host: NodeHost,
  asked: string | undefined,
  certificates: LiveCertificates,
  server: string,
): Promise<void> {
  const nodeName = await nodeNameOf(host.paths, asked, host.as(CONTROLLER_MANAGER));
  await certificates.addClients([
    { name: 'node', user: nodeUser(nodeName).name, group: NODES_GROUP },
    { name: 'dns', user: DNS.name },
  ]);
  const connectionOf = ({ ca, clients: { dns, node } }: Certificates): NodeConnection => {
    if (!node || !dns) throw new Error('the node has no certificate');
    return { nodeName, server, ca, node, dns };
  };
  certificates.onChange((renewed) => neighbour.reconnect(connectionOf(renewed)));
  await neighbour.begin(connectionOf(certificates.current));
  await nodesReady(host.informers, [nodeName]);
}
