// The types of secrets, as far as they are not shared: what the client's models do not say of them.
import { pointer } from '../../schema/facts.ts';
import { generatedTypes } from '../../schema/generated-types.ts';

export const secretTypes = generatedTypes('io.k8s.api.core.v1', {
  Secret: {
    numbers: 'metadata data type stringData immutable',
    fields: { immutable: pointer, type: { default: 'Opaque' } },
    // stringData is a way of writing data, and is never read back.
    setDefaults(secret) {
      if (!secret.stringData) return;
      const written = Object.entries(secret.stringData).map(([key, text]) => [
        key,
        Buffer.from(text).toString('base64'),
      ]);
      secret.data = { ...secret.data, ...Object.fromEntries(written) };
      delete secret.stringData;
    },
  },
});
