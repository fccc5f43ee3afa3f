// What all controllers are started with in tests and in the simulator, where nothing of it changes.
import type { Kinds } from '../client/kinds.ts';
import type { ControllerOptions } from '../cluster/roles/controllers.ts';
import { fixedRoot } from '../controllers/service-accounts/controller.ts';

/** @param kinds what the API serves. */
export function controllerOptions(kinds: Kinds): ControllerOptions {
  const address = { ip: '10.244.0.1', port: 6443 };
  return {
    rootCertificate: fixedRoot('PEM'),
    kinds,
    balancerPool: { type: 'machine' },
    serviceCidrs: ['10.96.0.0/16'],
    kubernetes: {
      clusterIp: '10.96.0.1',
      port: address.port,
      address: { current: () => address, onChange: () => () => {} },
    },
  };
}
