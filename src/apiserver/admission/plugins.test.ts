// Upstream's plug-ins, list by list: docs/compatibility.md says of each whether it is here, and it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { admissionPlugins } from './plugins.ts';

/** Those that are on by default, in upstream's order (pkg/kubeapiserver/options/plugins.go). */
const ON_BY_DEFAULT = [
  'NamespaceLifecycle',
  'LimitRanger',
  'ServiceAccount',
  'TaintNodesByCondition',
  'PodSecurity',
  'Priority',
  'DefaultTolerationSeconds',
  'DefaultStorageClass',
  'StorageObjectInUseProtection',
  'PodGroupProtection',
  'PersistentVolumeClaimResize',
  'RuntimeClass',
  'CertificateApproval',
  'CertificateSigning',
  'ClusterTrustBundleAttest',
  'CertificateSubjectRestriction',
  'DefaultIngressClass',
  'PodTopologyLabels',
  'PodGroupWorkloadExists',
  'NodeDeclaredFeatureValidator',
  'JobValidation',
  'PodResizeValidator',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionWebhook',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionWebhook',
  'ResourceQuota',
];
/** On here, though upstream leaves it off; and what upstream does elsewhere. */
const MORE = ['NodeRestriction', 'ServiceAllocation'];

const root = join(import.meta.dirname, '..', '..', '..', '..');
const section = /## Admission\n([\s\S]*?)\n## /.exec(
  readFileSync(join(root, 'docs', 'compatibility.md'), 'utf8'),
)?.[1];
const rows = [...(section ?? '').matchAll(/^\| (\w+) \| (yes|no: .+) \|$/gm)].map(([, name = '', here]) => ({
  name,
  here: here === 'yes',
}));

test('the documentation speaks of every plug-in that upstream has on', () => {
  assert.deepEqual(
    rows.map(({ name }) => name),
    ON_BY_DEFAULT,
  );
});

test('what it says is here runs, in upstream order, and nothing else does', () => {
  const run = admissionPlugins('10.96.0.0/16').map(({ name }) => name);
  assert.deepEqual(
    run.filter((name) => !MORE.includes(name)),
    rows.filter(({ here }) => here).map(({ name }) => name),
  );
  assert.deepEqual(
    run.filter((name) => MORE.includes(name)),
    MORE,
  );
});
