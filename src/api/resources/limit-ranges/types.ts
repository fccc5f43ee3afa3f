// The types of limit ranges, as far as they are not shared: what the client's models do not say of them.
import { quantity } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const limitRangeTypes = generatedTypes('io.k8s.api.core.v1', {
  LimitRange: { numbers: 'metadata spec' },
  LimitRangeItem: {
    numbers: 'type max min default defaultRequest maxLimitRequestRatio',
    fields: {
      default: quantity,
      defaultRequest: quantity,
      max: quantity,
      maxLimitRequestRatio: quantity,
      min: quantity,
    },
    setDefaults(item) {
      if (item.type !== 'Container') return;
      const limits = { ...item.max, ...item.default };
      const requests = { ...item.min, ...limits, ...item.defaultRequest };
      if (Object.keys(limits).length > 0) item.default = limits;
      if (Object.keys(requests).length > 0) item.defaultRequest = requests;
    },
  },
  LimitRangeSpec: { numbers: 'limits' },
});
