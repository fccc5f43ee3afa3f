// What may change in a Service (pkg/apis/core/validation, ValidateServiceUpdate).
import type { FieldError } from '../errors.ts';
import type { Service } from '../generated/types.ts';
import { validateService } from './service.ts';
import { validateAddressesUpdate } from './service-addresses.ts';
import { validateTrafficUpdate } from './service-traffic.ts';

export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  return [
    ...validateAddressesUpdate(service, old),
    ...validateTrafficUpdate(service, old),
    ...validateService(service),
  ];
}
