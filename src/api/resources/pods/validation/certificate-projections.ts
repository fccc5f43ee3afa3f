// Rules of certificates among a pod's files: bundles that it trusts, and its own (pkg/apis/core/validation,
// validateProjectionSources). No node here makes such files; what is wrong with the wish is said anyway.
import { type FieldError, invalidValue, notSupported, required } from '../../../errors.ts';
import type { ClusterTrustBundleProjection, PodCertificateProjection } from '../../../generated/types.ts';
import { dns1123Subdomain } from '../../../names.ts';
import { validateLabelSelector } from '../../../selectors.ts';
import { checked } from '../../../validation/field-rules.ts';
import { localPath, requiredLocalPath } from '../../../validation/paths.ts';

const KEY_TYPES: readonly string[] = ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096'];
const MIN_SECONDS = 3600;
const MAX_SECONDS = 91 * 24 * 3600;
const MAX_SIGNER = 571;

/** `example.com/signer`. */
function signerName(name: string, path: string): FieldError[] {
  if (!name) return [required(path)];
  const [domain = '', rest, more] = name.split('/');
  if (!rest || more !== undefined) {
    return [
      invalidValue(
        path,
        name,
        'must be a fully qualified domain and path of the form "example.com/signer-name"',
      ),
    ];
  }
  const errors = checked(domain, path, dns1123Subdomain);
  if (!domain.includes('.')) {
    errors.push(
      invalidValue(path, domain, 'should be a domain with at least two segments separated by dots'),
    );
  }
  if (name.length > MAX_SIGNER)
    errors.push(invalidValue(path, name, `must be at most ${MAX_SIGNER} characters`));
  return errors;
}

export function validateClusterTrustBundle(source: ClusterTrustBundleProjection, path: string): FieldError[] {
  const { name, signerName: signer, labelSelector, path: file } = source;
  const errors: FieldError[] = [];
  if (name !== undefined && signer !== undefined) {
    errors.push(invalidValue(path, source, 'only one of name and signerName may be used'));
  } else if (name !== undefined) {
    if (name === '') errors.push(required(`${path}.name`, 'must be a valid object name'));
    // The bundles of a signer are named after it: example.com:signer:rest.
    for (const reason of dns1123Subdomain(name.slice(name.lastIndexOf(':') + 1))) {
      errors.push(invalidValue(`${path}.name`, name, `not a valid clustertrustbundlename: ${reason}`));
    }
    if (labelSelector) {
      const reason = 'labelSelector must be unset if name is specified';
      errors.push(invalidValue(`${path}.labelSelector`, labelSelector, reason));
    }
  } else if (signer !== undefined) {
    errors.push(
      ...signerName(signer, `${path}.signerName`),
      ...validateLabelSelector(labelSelector, `${path}.labelSelector`),
    );
  } else errors.push(required(path, 'either name or signerName must be specified'));
  return [...errors, ...requiredLocalPath(file, `${path}.path`)];
}

export function validatePodCertificate(source: PodCertificateProjection, path: string): FieldError[] {
  const { keyType, maxExpirationSeconds: seconds } = source;
  const errors = signerName(source.signerName, `${path}.signerName`);
  if (!KEY_TYPES.includes(keyType)) errors.push(notSupported(`${path}.keyType`, keyType, KEY_TYPES));
  if (seconds !== undefined && (seconds < MIN_SECONDS || seconds > MAX_SECONDS)) {
    const reason = `must be between ${MIN_SECONDS} and ${MAX_SECONDS}, inclusive`;
    errors.push(invalidValue(`${path}.maxExpirationSeconds`, seconds, reason));
  }
  const files = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const;
  if (files.every((field) => !source[field])) {
    const reason = 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath';
    errors.push(required(path, reason));
  }
  for (const field of files) {
    const file = source[field];
    if (file) errors.push(...localPath(file, `${path}.${field}`));
  }
  return errors;
}
