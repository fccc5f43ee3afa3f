// Everything of floor 4 that the control plane runs, by the name it has in the log.
import type { Kinds } from '../../client/kinds.ts';
import type { RunContext } from '../../client/run-context.ts';
import { runClaimsController } from '../../controllers/claims/controller.ts';
import { runClusterRoleAggregationController } from '../../controllers/cluster-role-aggregation/controller.ts';
import { runDisruptionController } from '../../controllers/disruption/controller.ts';
import { runEndpointsController } from '../../controllers/endpoints/controller.ts';
import { runEndpointSliceMirroringController } from '../../controllers/endpointslice-mirroring/controller.ts';
import { runEndpointSlicesController } from '../../controllers/endpointslices/controller.ts';
import { runEphemeralVolumesController } from '../../controllers/ephemeral-volumes/controller.ts';
import { runGarbageController } from '../../controllers/garbage/controller.ts';
import {
  type KubernetesServiceOptions,
  runKubernetesServiceController,
} from '../../controllers/kubernetes-service/controller.ts';
import { runLoadBalancerController } from '../../controllers/load-balancer/controller.ts';
import type { AddressPool } from '../../controllers/load-balancer/pool.ts';
import { runNamespaceController } from '../../controllers/namespace/controller.ts';
import { runNodesController } from '../../controllers/nodes/controller.ts';
import { runPodGcController } from '../../controllers/pod-gc/controller.ts';
import { runProtectionController } from '../../controllers/protection/controller.ts';
import { runResourceQuotaController } from '../../controllers/resource-quota/controller.ts';
import {
  type RootCertificate,
  runServiceAccountsController,
} from '../../controllers/service-accounts/controller.ts';
import { runServiceAddressesController } from '../../controllers/service-addresses/controller.ts';
import { runServiceCidrsController } from '../../controllers/service-cidrs/controller.ts';
import { runStatefulSetController } from '../../controllers/statefulset/controller.ts';
import { runScheduler } from '../../scheduler/controller.ts';
import { runLocalExpander } from '../../storage/expander.ts';
import { runLocalProvisioner } from '../../storage/provisioner.ts';

/** Runs until the context's signal. */
export type Controller = (context: RunContext) => Promise<void>;

/** What controllers have to know beside what the API tells them. */
export interface ControllerOptions {
  /** What every namespace is given. */
  rootCertificate: RootCertificate;
  /** What the API serves. */
  kinds: Kinds;
  /** The ranges of Services' addresses, canonical, the default family first. */
  serviceCidrs: readonly string[];
  /** How pods find the API. */
  kubernetes: KubernetesServiceOptions;
  /** Where Services of type LoadBalancer get their addresses. */
  balancerPool: AddressPool;
}

export function controllers(options: ControllerOptions): Record<string, Controller> {
  const { balancerPool, kinds, kubernetes, rootCertificate, serviceCidrs } = options;
  return {
    statefulset: runStatefulSetController,
    scheduler: runScheduler,
    claims: runClaimsController,
    provisioner: runLocalProvisioner,
    expander: runLocalExpander,
    endpointslices: runEndpointSlicesController,
    endpoints: runEndpointsController,
    'endpointslice-mirroring': runEndpointSliceMirroringController,
    'ephemeral-volumes': runEphemeralVolumesController,
    garbage: (context) => runGarbageController(context, kinds),
    'kubernetes-service': (context) => runKubernetesServiceController(context, kubernetes),
    'load-balancer': (context) => runLoadBalancerController(context, balancerPool),
    namespace: (context) => runNamespaceController(context, kinds),
    'service-accounts': (context) => runServiceAccountsController(context, rootCertificate),
    'service-addresses': (context) => runServiceAddressesController(context, serviceCidrs),
    'service-cidrs': runServiceCidrsController,
    protection: runProtectionController,
    'pod-gc': runPodGcController,
    nodes: runNodesController,
    disruption: runDisruptionController,
    'resource-quota': (context) => runResourceQuotaController(context, kinds),
    'cluster-role-aggregation': runClusterRoleAggregationController,
  };
}
