// What creating and updating mean for a Service. What was given to it has been filled in before, where things are given
// out; whoever prepares without that still gets both address fields, and what the old one had.

import type { Service } from '../../generated/types.ts';
import type { Strategy } from '../../resource.ts';
import { keepStatus } from '../shared/status-strategy.ts';
import { withAllocatedValues, withClusterIPs } from './allocated-values.ts';
import { validateServiceStatusUpdate } from './traffic.ts';
import { withoutTypeDependentFields } from './type-change.ts';
import { validateServiceUpdate } from './update-validation.ts';
import { validateService } from './validation.ts';
import { serviceWarnings } from './warnings.ts';

export const serviceStrategy: Strategy<Service> = {
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
    service.spec = withClusterIPs(service.spec);
  },
  validateCreate: validateService,
  warnings: serviceWarnings,
  prepareForUpdate(service, old) {
    keepStatus(service, old);
    service.spec = withoutTypeDependentFields(withAllocatedValues(service.spec, old.spec), old.spec);
    // What a balancer has said is of a balancer.
    if (service.spec.type !== 'LoadBalancer') service.status = { ...service.status, loadBalancer: {} };
  },
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate: validateServiceStatusUpdate,
};
