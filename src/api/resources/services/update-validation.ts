// What may change in a Service (pkg/apis/core/validation, ValidateServiceUpdate).
import type { FieldError } from '../../errors.ts';
import type { Service } from '../../generated/types.ts';
import { validateAddressesUpdate } from './addresses.ts';
import { validateTrafficUpdate } from './traffic.ts';
import { validateService } from './validation.ts';

export function validateServiceUpdate(service: Service, old: Service): FieldError[] {
  return [
    ...validateAddressesUpdate(service, old),
    ...validateTrafficUpdate(service, old),
    ...validateService(service),
  ];
}
